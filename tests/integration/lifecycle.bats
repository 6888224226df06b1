#!/usr/bin/env bats
# Containers from create to delete: by hand, as go-runc and conmon call it, and with run.

load helpers

# create as a manager does it: the container's streams are not ours
create() {
  rt create --bundle "$BUNDLE" "$@" "$ID" </dev/null >"$BUNDLE/out" 2>"$BUNDLE/err"
}

# ---- run -----------------------------------------------------------------------------------------

@test "run: the program's output, errors and status" {
  make_bundle sh -c 'echo out; echo err >&2; exit 7'
  run_rt run --bundle "$BUNDLE" "$ID"
  [ "$status" -eq 7 ]
  assert_output out
  [ "$stderr" = err ]
  assert_nothing_left
}

@test "run: standard input" {
  make_bundle cat
  run bash -c 'echo hello | "$@"' - "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  assert_success
  assert_output hello
}

@test "run: the bundle is the working directory by default" {
  make_bundle echo here
  cd "$BUNDLE"
  run_rt run "$ID"
  assert_success
  assert_output here
}

@test "run: a program killed by a signal gives 128 + its number" {
  make_bundle sh -c 'kill -KILL $$; sleep 10'
  config 'del(.linux.namespaces[] | select(.type == "pid"))'
  run_rt run --bundle "$BUNDLE" "$ID"
  [ "$status" -eq 137 ]
  assert_nothing_left
}

@test "run: signals are forwarded" {
  make_bundle sh -c 'trap "echo got TERM; exit 9" TERM; trap "echo got USR1" USR1; trap "echo got 34" 34; echo ready
    while :; do sleep 0.1; done'
  "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" >"$BUNDLE/out" 3>&- &
  local run=$!
  wait_until 5 grep -q ready "$BUNDLE/out"
  kill -USR1 $run
  wait_until 5 grep -q "got USR1" "$BUNDLE/out"
  if is_tare; then # one that C libraries keep for themselves
    kill -34 $run
    wait_until 5 grep -q "got 34" "$BUNDLE/out"
  fi
  kill -TERM $run
  local result=0
  wait $run || result=$?
  [ "$result" -eq 9 ]
  grep -q "got TERM" "$BUNDLE/out"
  assert_nothing_left
}

@test "run: a container that is killed from outside" {
  make_bundle sleep 100
  "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&- &
  local run=$!
  wait_until 5 has_status "$ID" running
  rt kill "$ID" KILL
  local result=0
  wait $run || result=$?
  [ "$result" -eq 137 ]
  assert_nothing_left
}

@test "run: what the program leaves running does not stay, nor does run wait for it" {
  make_bundle sh -c 'sleep 100 & exit 4'
  config 'del(.linux.namespaces[] | select(.type == "pid"))'
  run_rt run --bundle "$BUNDLE" "$ID"
  [ "$status" -eq 4 ]
  assert_nothing_left
  [ -z "$(processes_of "$BUNDLE")" ]
}

@test "run --keep: the container stays, stopped" {
  make_bundle sh -c 'exit 5'
  run_rt run --keep --bundle "$BUNDLE" "$ID"
  [ "$status" -eq 5 ]
  [ "$(status_of "$ID")" = stopped ]
  rt delete "$ID"
  assert_nothing_left
}

@test "run --detach: returns while the program runs" {
  make_bundle sleep 100
  rt run --detach --bundle "$BUNDLE" --pid-file "$BUNDLE/pid" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  [ "$(status_of "$ID")" = running ]
  [ "$(cat "$BUNDLE/pid")" = "$(pid_of "$ID")" ]
  rt delete --force "$ID"
  assert_nothing_left
}

@test "run: options behind the id, and in Go's form" {
  make_bundle echo hi
  run_rt run "$ID" -bundle "$BUNDLE" -no-new-keyring
  assert_success
  assert_output hi
}

@test "run --no-subreaper" {
  make_bundle echo hi
  run_rt run --no-subreaper --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output hi
}

@test "run: closed standard streams" {
  make_bundle sh -c 'exit 6'
  run bash -c '"$@" <&- >&- 2>&-' - "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  [ "$status" -eq 6 ]
  assert_nothing_left
}

@test "run --config: another file" {
  only_tare
  make_bundle echo first
  jq '.process.args = ["echo", "second"]' "$BUNDLE/config.json" >"$BUNDLE/other.json"
  run_rt run --bundle "$BUNDLE" --config other.json "$ID"
  assert_success
  assert_output second
  mv "$BUNDLE/other.json" "$WORK/other.json"
  run_rt run --bundle "$BUNDLE" --config "$WORK/other.json" "$ID"
  assert_success
  assert_output second
}

# ---- create, start, kill, delete -----------------------------------------------------------------

@test "by hand: create, state, start, state, kill, state, delete" {
  make_bundle sh -c 'echo started; sleep 100'
  create
  [ "$(status_of "$ID")" = created ]
  [ ! -s "$BUNDLE/out" ]
  [ "$(pid_of "$ID")" -gt 1 ]
  kill -0 "$(pid_of "$ID")"
  rt start "$ID"
  wait_until 5 grep -q started "$BUNDLE/out"
  [ "$(status_of "$ID")" = running ]
  rt kill "$ID" KILL
  wait_until 5 has_status "$ID" stopped
  [ "$(pid_of "$ID")" = 0 ]
  rt delete "$ID"
  run_rt state "$ID"
  assert_error 1 "does not exist"
  assert_nothing_left
}

@test "as go-runc calls it" {
  make_bundle sh -c 'echo started; sleep 100'
  local globals=(--log "$BUNDLE/log.json" --log-format json --root "$ROOT")
  "$RUNTIME" "${globals[@]}" create --bundle "$BUNDLE" --pid-file "$BUNDLE/init.pid" --no-new-keyring "$ID" \
    </dev/null >"$BUNDLE/out" 2>&1 3>&-
  local pid
  pid=$(cat "$BUNDLE/init.pid")
  [ "$pid" = "$("$RUNTIME" "${globals[@]}" state "$ID" | jq .pid)" ]
  "$RUNTIME" "${globals[@]}" start "$ID"
  wait_until 5 grep -q started "$BUNDLE/out"
  "$RUNTIME" "${globals[@]}" ps --format json "$ID" | jq -e "contains([$pid])"
  "$RUNTIME" "${globals[@]}" list --format=json | jq -e --arg id "$ID" '.[] | select(.id == $id).status == "running"'
  "$RUNTIME" "${globals[@]}" kill "$ID" 9
  wait_until 5 has_status "$ID" stopped
  run --separate-stderr "$RUNTIME" "${globals[@]}" kill "$ID" 9
  [ "$status" -ne 0 ]
  tail -n 1 "$BUNDLE/log.json" | jq -r .msg | grep -Ei 'container not running|no such process'
  "$RUNTIME" "${globals[@]}" delete "$ID"
  run --separate-stderr "$RUNTIME" "${globals[@]}" delete "$ID"
  [ "$status" -ne 0 ]
  tail -n 1 "$BUNDLE/log.json" | jq -r .msg | grep 'does not exist'
  "$RUNTIME" "${globals[@]}" delete --force "$ID"
  jq -s . "$BUNDLE/log.json" >/dev/null # every line of it
  assert_nothing_left
}

@test "a success leaves the log empty and stderr silent" {
  make_bundle true
  local globals=(--log "$BUNDLE/log.json" --log-format json --root "$ROOT") verb
  "$RUNTIME" "${globals[@]}" create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>"$BUNDLE/err" 3>&-
  for verb in state start; do
    "$RUNTIME" "${globals[@]}" $verb "$ID" 2>>"$BUNDLE/err" >/dev/null
  done
  wait_until 5 has_status "$ID" stopped
  "$RUNTIME" "${globals[@]}" delete "$ID" 2>>"$BUNDLE/err"
  [ ! -s "$BUNDLE/log.json" ]
  [ ! -s "$BUNDLE/err" ]
}

@test "what waits for start is tare-init, from a sealed memfd" {
  only_tare
  make_bundle sleep 100
  create
  local pid
  pid=$(pid_of "$ID")
  [ "$(readlink "/proc/$pid/exe")" = "/memfd:tare-init (deleted)" ]
  # F_GET_SEALS 1034; SEAL 1, SHRINK 2, GROW 4, WRITE 8
  [ "$(perl -e 'open (F, "<", $ARGV[0]) || die; print fcntl (F, 1034, 0) & 15' "/proc/$pid/exe")" = 15 ]
  run bash -c 'echo x >"/proc/$1/exe"' - "$pid"
  [ "$status" -ne 0 ]
  rt start "$ID"
  [ "$(basename "$(readlink "/proc/$pid/exe")")" = busybox ]
}

@test "config.json may change after create, and changes nothing" {
  make_bundle sh -c 'echo original'
  create
  echo '{ "broken": ' >"$BUNDLE/config.json"
  rt start "$ID"
  wait_until 5 grep -q original "$BUNDLE/out"
  wait_until 5 has_status "$ID" stopped
  rt delete "$ID"
  assert_nothing_left
}

@test "start: only once, and not after the end" {
  make_bundle sleep 100
  create
  rt start "$ID"
  run_rt start "$ID"
  assert_error 1 "cannot start an already running container"
  rt kill "$ID" KILL
  wait_until 5 has_status "$ID" stopped
  run_rt start "$ID"
  assert_error 1 "cannot start a container that has stopped"
}

@test "kill: a created container, which then is stopped" {
  make_bundle sleep 100
  create
  rt kill "$ID" KILL
  wait_until 5 has_status "$ID" stopped
  run_rt start "$ID"
  assert_error 1 "cannot start a container that has stopped"
  rt delete "$ID"
  assert_nothing_left
}

@test "kill: signals by name and number" {
  make_bundle sh -c 'for s in USR1 USR2 HUP INT TERM; do trap "echo $s" $s; done; echo ready
    while :; do sleep 0.05; done'
  create
  rt start "$ID"
  wait_until 5 grep -q ready "$BUNDLE/out"
  local signal
  for signal in USR1:SIGUSR1 USR2:usr2 HUP:1 INT:sigint TERM:; do
    # shellcheck disable=SC2086
    rt kill "$ID" ${signal#*:}
    wait_until 5 grep -qx "${signal%%:*}" "$BUNDLE/out"
  done
  run_rt kill "$ID" 0
  assert_success
}

@test "kill: -a behind the id" {
  make_bundle sleep 100
  create
  rt start "$ID"
  rt kill "$ID" -a KILL || rt kill -a "$ID" KILL
  wait_until 5 has_status "$ID" stopped
}

@test "kill --all: every process of the container" {
  only_tare
  make_bundle sh -c 'trap : TERM; sh -c "trap \"echo child; exit\" TERM; echo ready; while :; do sleep 0.05; done" &
    while :; do sleep 0.05; done'
  create
  rt start "$ID"
  wait_until 5 grep -q ready "$BUNDLE/out"
  rt kill --all "$ID" TERM
  wait_until 5 grep -q child "$BUNDLE/out"
}

@test "kill: without a pid namespace KILL ends every process" {
  only_tare
  make_bundle sh -c 'sleep 101 & sleep 102 & echo ready; wait'
  config 'del(.linux.namespaces[] | select(.type == "pid"))'
  create
  rt start "$ID"
  wait_until 5 grep -q ready "$BUNDLE/out"
  rt kill "$ID" KILL
  wait_until 5 has_status "$ID" stopped
  wait_until 5 bash -c '! pgrep -f "^sleep 10[12]\$" >/dev/null'
  rt delete "$ID"
  assert_nothing_left
}

@test "kill --all: what a container without a pid namespace left behind, while it is there" {
  make_bundle sh -c 'sleep 103 & exit 3'
  config 'del(.linux.namespaces[] | select(.type == "pid"))'
  create
  rt start "$ID"
  wait_until 5 has_status "$ID" stopped
  pgrep -f '^sleep 103$'
  run_rt kill "$ID" TERM
  [ "$status" -ne 0 ]
  rt kill --all "$ID" KILL
  wait_until 5 bash -c '! pgrep -f "^sleep 103\$" >/dev/null'
  is_tare || return 0
  run_rt kill --all "$ID" KILL
  assert_error 1 "container not running"
}

@test "kill --all of one that has ended spares the next container in its group" {
  only_tare
  run_two_in_one_group
  run_rt kill --all "$ID-old" KILL
  assert_error 1 "container not running"
  rt delete "$ID-old"
  has_status "$ID" running
}

@test "delete: not while it runs, unless forced" {
  make_bundle sleep 100
  create
  rt start "$ID"
  run_rt delete "$ID"
  assert_error 1 "cannot delete container $ID that is not stopped: running"
  [ "$(status_of "$ID")" = running ]
  rt delete --force "$ID"
  assert_nothing_left
}

@test "delete: a created container goes without force" {
  make_bundle sleep 100
  create
  rt delete "$ID"
  assert_nothing_left
  [ -z "$(processes_of "$BUNDLE")" ]
}

@test "delete: an unknown one, with and without force" {
  run_rt delete "$ID"
  assert_error 1 "does not exist"
  run_rt delete --force "$ID"
  assert_success
  run_rt delete "$ID" -f
  assert_success
}

@test "delete --force: a stopped (SIGSTOP) and a frozen container, in bounded time" {
  make_bundle sleep 100
  create
  rt start "$ID"
  kill -STOP "$(pid_of "$ID")"
  timeout 15 "$RUNTIME" --root "$ROOT" delete --force "$ID"
  assert_nothing_left
}

@test "an id can be used again after delete" {
  make_bundle true
  local i
  for i in 1 2 3; do
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_success
  done
  assert_nothing_left
}

@test "ps: as JSON and as a table" {
  make_bundle sh -c 'sleep 100 & sleep 100 & echo ready; wait'
  create
  rt start "$ID"
  wait_until 5 grep -q ready "$BUNDLE/out"
  run_rt ps --format json "$ID"
  assert_success
  jq -e "length == 3 and all(type == \"number\") and contains([$(pid_of "$ID")])" <<<"$output"
  only_tare
  run_rt ps "$ID"
  [[ ${lines[0]} == *PID* ]]
  [ "${#lines[@]}" -eq 4 ]
}

@test "list: table, ids, JSON" {
  make_bundle sleep 100
  create
  run_rt list
  assert_success
  [[ ${lines[1]} =~ ^$ID\ +[0-9]+\ +created\ +$BUNDLE\ +20[0-9TZ:.-]+\ +root$ ]]
  run_rt list -q
  assert_output "$ID"
  run_rt list -f json
  jq -e --arg id "$ID" --arg bundle "$BUNDLE" '.[0] | .id == $id and .bundle == $bundle and .status == "created"
         and .rootfs == ($bundle + "/rootfs") and (.pid > 1) and .ociVersion' <<<"$output"
}

# ---- what goes in --------------------------------------------------------------------------------

@test "pid file: a number and no newline, relative to the caller's directory" {
  make_bundle sleep 100
  cd "$WORK"
  create --pid-file pid-of-test
  [[ $(od -An -c "$WORK/pid-of-test" | tr -d ' ') =~ ^[0-9]+$ ]]
  [ "$(cat "$WORK/pid-of-test")" = "$(pid_of "$ID")" ]
  rm "$WORK/pid-of-test"
}

@test "preserve-fds: these, and no others" {
  make_bundle sh -c 'cat <&3; ls /proc/self/fd | wc -l'
  echo from-three >"$BUNDLE/three"
  run bash -c '"$1" --root "$2" run --preserve-fds 1 --bundle "$3" "$4" 3<"$3/three" 4<"$3/three" 5<"$3"' - \
    "$RUNTIME" "$ROOT" "$BUNDLE" "$ID"
  assert_success
  [ "${lines[0]}" = from-three ]
  [ "${lines[1]}" = 5 ] # 0 to 3, and the one that ls reads
  run bash -c '"$1" --root "$2" run --bundle "$3" "$4" 3<"$3/three"' - "$RUNTIME" "$ROOT" "$BUNDLE" "$ID"
  [ "$status" -ne 0 ] || [[ $output != *from-three* ]]
}

@test "preserve-fds: one that is not open" {
  only_tare
  make_bundle true
  run --separate-stderr bash -c '"$1" --root "$2" run --preserve-fds 2 --bundle "$3" "$4" 3<"$3" 4<&-' - \
    "$RUNTIME" "$ROOT" "$BUNDLE" "$ID"
  [ "$status" -ne 0 ]
  [[ $stderr == *"unable to stat preserved-fd 1 (of 2)"* ]]
  assert_nothing_left
}

@test "preserve-fds: our own log is not taken for the caller's descriptor" {
  only_tare
  make_bundle true
  run --separate-stderr bash -c '"$1" --root "$2" --log "$3/log" run --preserve-fds 1 --bundle "$3" "$4" 3<&-' - \
    "$RUNTIME" "$ROOT" "$BUNDLE" "$ID"
  assert_error 1 "unable to stat preserved-fd 0 (of 1)"
}

@test "pidfd-socket: a descriptor of init" {
  only_tare
  make_bundle sleep 100
  perl -MSocket -e '
    socket (S, AF_UNIX, SOCK_STREAM, 0) && bind (S, sockaddr_un ($ARGV[0])) && listen (S, 1) || die;
    $SIG{ALRM} = sub { exit 1 }; alarm 10; accept (C, S) || die;
    # recvmsg is not in perl: MSG_PEEK says that a byte came, SCM_RIGHTS is tested by the unit test
    recv (C, $byte, 1, 0); print length ($byte)' "$BUNDLE/socket" >"$BUNDLE/received" 3>&- &
  wait_until 5 test -S "$BUNDLE/socket"
  create --pidfd-socket "$BUNDLE/socket"
  wait $!
  [ "$(cat "$BUNDLE/received")" = 1 ]
  rt delete --force "$ID"
  run_rt create --bundle "$BUNDLE" --pidfd-socket "$BUNDLE/nobody" "$ID"
  assert_error 1 "pidfd socket '$BUNDLE/nobody': No such file or directory"
  assert_nothing_left
}

@test "the caller's umask stays, and the program has it" {
  only_tare
  make_bundle sh -c 'umask'
  run bash -c 'umask 0027; "$@"' - "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  assert_output 0027
}

@test "disabled control groups" {
  only_tare
  make_bundle echo hi
  config '.mounts |= map(select(.type != "cgroup")) | del(.linux.resources)'
  run_rt --cgroup-manager disabled run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output hi
}

@test "odd limits of the caller: it works, or is one clean error with nothing left" {
  only_tare
  make_bundle echo hi
  config 'del(.process.rlimits)'
  local limit
  for limit in 'ulimit -n 8' 'ulimit -u 1' 'ulimit -f 0' 'ulimit -v 65536' 'ulimit -s 128' 'umask 077' 'umask 0' \
    'umask 777'; do
    # AddressSanitizer maps terabytes before main
    [[ -z ${TARE_SANITIZED:-} || $limit != 'ulimit -v '* ]] || continue
    # by a pipe: bats keeps output in files, which a limit may be about
    run bash -c '{ '"$limit"'; "$@"; } 2>&1 | cat; exit "${PIPESTATUS[0]}"' - \
      "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
    if [ "$status" -eq 0 ]; then
      assert_output hi
    else
      [ "${#lines[@]}" -eq 1 ] && [[ $output == "tare: "* ]] || fail_with "$limit"
    fi
    assert_nothing_left
  done
  run env -i "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
  assert_output hi
}

@test "signals that the caller blocks or ignores are not so inside" {
  only_tare
  make_bundle grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status
  run env --ignore-signal=PIPE --ignore-signal=USR1 --block-signal=TERM --block-signal=USR2 \
    "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
  assert_success
  [ "$(cut -f 2 <<<"$output" | sort -u)" = 0000000000000000 ]
}

@test "kill and delete --regex: every container whose id matches, and no other" {
  only_tare
  local id
  make_bundle sleep 1000
  for id in pod1-a pod1-b pod2-a; do
    rt create --bundle "$BUNDLE" "$id" </dev/null >/dev/null 2>&1
  done
  run_rt kill --regex '^pod1-' KILL
  assert_success
  wait_until 30 eval '[ "$(rt list --format json | jq -r "map(.id + .status) | join(\" \")")" = \
    "pod1-astopped pod1-bstopped pod2-acreated" ]'
  run_rt delete -r 'pod1-[ab]$'
  assert_success
  [ "$(rt list -q)" = pod2-a ]
  run_rt delete --regex 'pod('
  assert_error 1 "option '--regex': 'pod(' is no regular expression: "
  run_rt delete --force --regex pod
  assert_success
  [ -z "$(rt list -q)" ]
}
