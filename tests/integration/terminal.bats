#!/usr/bin/env bats
# Terminals: process.terminal and consoleSize (config.md "Process"), /dev/console (config-linux.md
# "Default Devices"), --console-socket, and run in front of one.

load helpers

setup_file() {
  file_begin
  TOOLS=${top_builddir:-$TOP/build}/tests/lib
  export TOOLS
}
teardown() {
  [ -z "${RECEIVER:-}" ] || kill "$RECEIVER" 2>/dev/null || true
  test_end
}

# /shared is $BUNDLE/shared: how the program says that it is ready, and is told to go on.
make_terminal() {
  make_bundle "$@"
  mkdir -p "$BUNDLE/shared"
  config '.process.terminal = true | .mounts += [{destination: "/shared", type: "bind", source: $s, options: ["bind"]}]' \
    --arg s "$BUNDLE/shared"
}

# Shell text that waits, as wait_until does, for what a command says.
until_true() {
  echo "n=0; until $1 || [ \$n -gt 600 ]; do n=\$((n + 1)); sleep 0.05; done"
}

# A manager's side of --console-socket: what comes is in $BUNDLE/tty, what is written to descriptor
# 8 goes in.
receiver() {
  mkfifo "$BUNDLE/keys"
  "$TOOLS/recvtty" "$BUNDLE/socket" "$BUNDLE/name" <"$BUNDLE/keys" >"$BUNDLE/tty" 3>&- &
  RECEIVER=$!
  exec 8>"$BUNDLE/keys"
  wait_until 30 test -S "$BUNDLE/socket"
}

create() {
  rt create --bundle "$BUNDLE" "$@" "$ID" </dev/null >"$BUNDLE/out" 2>"$BUNDLE/err" 3>&- 8>&-
}

start_with_receiver() {
  receiver
  create --console-socket "$BUNDLE/socket"
  rt start "$ID" 3>&- 8>&-
}

needs_no_terminal() {
  is_tare || skip "runc wants to open /dev/tty"
}

tty_has() {
  tr -d '\r' <"$BUNDLE/tty" | grep -q "$1"
}

# ---- console socket ------------------------------------------------------------------------------

@test "the console socket gets the terminal, the program the other end" {
  make_terminal sh -c 'tty; stat -c "fd %t:%T" /proc/self/fd/0 -L; cut -d" " -f7 /proc/self/stat; read line; echo "got $line"; echo to-stderr >&2'
  start_with_receiver
  wait_until 30 tty_has '^/dev/pts/0$'
  tty_has '^fd 88:0$'
  tty_has '^34816$' # 136:0 is the controlling terminal
  echo hello >&8
  wait_until 30 tty_has '^got hello$'
  wait_until 30 tty_has '^to-stderr$'
  wait_until 30 has_status "$ID" stopped
  [ ! -s "$BUNDLE/out" ]
  [ ! -s "$BUNDLE/err" ]
  wait "$RECEIVER"
  only_tare
  [ "$(cat "$BUNDLE/name")" = /dev/pts/0 ]
}

@test "the container's stdio is nothing of the caller's" {
  make_terminal sh -c 'ls -l /proc/self/fd; sleep 100'
  start_with_receiver
  wait_until 30 tty_has '2 -> /dev/pts/0'
  local pid fd
  pid=$(pid_of "$ID")
  for fd in 0 1 2; do
    [ "$(readlink "/proc/$pid/fd/$fd")" = /dev/pts/0 ]
  done
  [ "$(ls "/proc/$pid/fd" | wc -l)" -le 4 ]
  [ ! -e "/proc/$pid/fd/4" ]
}

@test "keys: ^C is a signal, ^D the end" {
  make_terminal sh -c 'trap "echo interrupted" INT; echo ready; sleep 1; cat; cat; echo end'
  start_with_receiver
  wait_until 30 tty_has ready
  printf '\003' >&8
  wait_until 30 tty_has interrupted
  printf '\004' >&8
  printf '\004' >&8
  wait_until 30 tty_has '^end$'
}

@test "owner, group and mode" {
  make_terminal sh -c 'stat -c "%u %g %a" /dev/pts/0; id -u; echo writes >/dev/console; echo reopens >/dev/pts/0; echo done'
  config '.process.user = {uid: 1234, gid: 4321}'
  start_with_receiver
  wait_until 30 tty_has done
  tty_has '^1234 5 620$'
  tty_has '^writes$'
  tty_has '^reopens$'
}

@test "consoleSize" {
  make_terminal sh -c 'stty size; echo done'
  config '.process.consoleSize = {height: 43, width: 121}'
  start_with_receiver
  wait_until 30 tty_has done
  tty_has '^43 121$'
}

@test "consoleSize: ignored without a terminal, refused where no terminal has it" {
  make_bundle echo fine
  config '.process.consoleSize = {height: 100000, width: 121}'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output fine
  only_tare
  config '.process.terminal = true'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "process.consoleSize: 100000 x 121"
}

@test "/dev/console is the terminal" {
  make_terminal sh -c 'stat -c "%t:%T" /dev/console; grep " /dev/console " /proc/self/mountinfo; echo through >/dev/console; echo done'
  start_with_receiver
  wait_until 30 tty_has done
  tty_has '^88:0$'
  tty_has '^through$'
  tty_has ' /0 /dev/console .* - devpts'
}

@test "/dev/console, where /dev is a part of a read-only root" {
  make_terminal sh -c 'stat -c "%t:%T" /dev/console; touch /dev/x; echo done'
  mkdir -p "$BUNDLE/rootfs/dev/pts" "$BUNDLE/rootfs/dev/shm" "$BUNDLE/rootfs/dev/mqueue"
  config 'del(.mounts[] | select(.destination == "/dev"))'
  start_with_receiver
  wait_until 30 tty_has done
  tty_has '^88:0$'
  tty_has 'Read-only file system'
}

@test "with a user namespace" {
  make_terminal sh -c 'tty; stat -c "%u %g %t:%T" /dev/pts/0 /dev/console; id -u; echo done'
  chown 100000:100000 "$BUNDLE/rootfs"
  chmod 755 "$WORK" "$BUNDLE"
  config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
    .linux.gidMappings = .linux.uidMappings | .process.user = {uid: 7, gid: 8}'
  start_with_receiver
  wait_until 30 tty_has done
  tty_has '^/dev/pts/0$'
  [ "$(tr -d '\r' <"$BUNDLE/tty" | grep -c '^7 5 88:0$')" -eq 2 ]
}

# ---- what cannot be ------------------------------------------------------------------------------

@test "a terminal that nobody takes: create and run --detach refuse" {
  make_terminal true
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "cannot allocate tty if"
  assert_nothing_left
  ! is_tare || assert_error 1 "use --console-socket with create when a terminal is used"
  run_rt run --detach --bundle "$BUNDLE" "$ID"
  assert_error 1 "cannot allocate tty if"
  assert_nothing_left
}

@test "a console socket without a terminal" {
  make_bundle true
  run_rt create --bundle "$BUNDLE" --console-socket "$BUNDLE/socket" "$ID"
  assert_error 1 "cannot use console socket if"
  assert_nothing_left
}

@test "a console socket that nobody listens on: one line, nothing left" {
  make_terminal true
  run_rt create --bundle "$BUNDLE" --console-socket "$BUNDLE/no-such" "$ID"
  [ "$status" -eq 1 ]
  assert_nothing_left
  ! is_tare || assert_error 1 "connect to the console socket '$BUNDLE/no-such': No such file or directory"
  perl -MSocket -e 'socket (S, AF_UNIX, SOCK_STREAM, 0); bind (S, sockaddr_un ($ARGV[0])) || die' "$BUNDLE/dead"
  run_rt create --bundle "$BUNDLE" --console-socket "$BUNDLE/dead" "$ID"
  [ "$status" -eq 1 ]
  assert_nothing_left
  ! is_tare || assert_error 1 "connect to the console socket '$BUNDLE/dead': Connection refused"
  touch "$BUNDLE/file"
  run_rt create --bundle "$BUNDLE" --console-socket "$BUNDLE/file" "$ID"
  [ "$status" -eq 1 ]
  assert_nothing_left
}

@test "a console socket with a long path" {
  only_tare
  make_terminal sh -c 'echo done'
  local deep
  deep=$BUNDLE/$(printf 'd%.0s' {1..100})
  mkdir -p "$deep"
  mkfifo "$BUNDLE/keys"
  (cd "$deep" && exec "$TOOLS/recvtty" s "$BUNDLE/name" <"$BUNDLE/keys" >"$BUNDLE/tty" 3>&-) &
  RECEIVER=$!
  exec 8>"$BUNDLE/keys"
  wait_until 30 test -S "$deep/s"
  create --console-socket "$deep/s"
  rt start "$ID" 3>&- 8>&-
  wait_until 30 tty_has done
}

@test "a receiver that goes away at once: create fails, nothing left" {
  only_tare
  make_terminal true
  perl -MSocket -e 'socket (S, AF_UNIX, SOCK_STREAM, 0); bind (S, sockaddr_un ($ARGV[0])); listen (S, 1);
    accept (C, S); close (C); close (S); open (F, ">", $ARGV[1])' "$BUNDLE/short" "$BUNDLE/gone" 3>&- &
  config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", $wait]}]' \
    --arg wait "until [ -e $BUNDLE/gone ]; do sleep 0.05; done"
  wait_until 30 test -S "$BUNDLE/short"
  run_rt create --bundle "$BUNDLE" --console-socket "$BUNDLE/short" "$ID"
  assert_error 1 "send the terminal to the console socket: Broken pipe"
  assert_nothing_left
  [ -z "$(processes_of "$BUNDLE")" ]
}

@test "no devpts" {
  only_tare
  make_terminal true
  config 'del(.mounts[] | select(.destination == "/dev/pts"))'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/dev/pts"
  assert_nothing_left
  mkdir -p "$BUNDLE/rootfs/pts"
  config '.mounts += [{destination: "/dev/pts", type: "tmpfs", source: "tmpfs", options: ["mode=755"]}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "process.terminal: '/dev/pts' is not a mount of type devpts"
  assert_nothing_left
}

@test "links in the way of /dev, /dev/pts, /dev/console: nothing outside is touched" {
  only_tare
  local link
  for link in "/dev/pts" "/dev/pts/ptmx" "/dev/console" "/dev"; do
    make_terminal true
    mkdir -p "$BUNDLE/host/pts" "$BUNDLE/rootfs/dev" "$BUNDLE/volume"
    echo secret >"$BUNDLE/host/file"
    case $link in
      /dev) rmdir "$BUNDLE/rootfs/dev"; ln -s "$BUNDLE/host" "$BUNDLE/rootfs/dev"
        config 'del(.mounts[] | select(.destination | startswith("/dev")))' ;;
      /dev/pts) ln -s "$BUNDLE/host/pts" "$BUNDLE/rootfs/dev/pts"
        config 'del(.mounts[] | select(.destination == "/dev" or .destination == "/dev/pts" or .destination == "/dev/shm" or .destination == "/dev/mqueue"))' ;;
      /dev/pts/ptmx) mkdir "$BUNDLE/rootfs/dev/pts"; ln -s "$BUNDLE/host/file" "$BUNDLE/rootfs/dev/pts/ptmx"
        config 'del(.mounts[] | select(.destination == "/dev" or .destination == "/dev/pts" or .destination == "/dev/shm" or .destination == "/dev/mqueue"))' ;;
      /dev/console) mkdir -p "$BUNDLE/rootfs/dev/pts"; ln -s "$BUNDLE/host/file" "$BUNDLE/rootfs/dev/console"
        config 'del(.mounts[] | select(.destination == "/dev" or .destination == "/dev/shm" or .destination == "/dev/mqueue"))' ;;
    esac
    run_rt run --bundle "$BUNDLE" "$ID"
    [ "$status" -eq 1 ] || fail_with "$link"
    [ "${#stderr_lines[@]}" -eq 1 ] || fail_with "$link"
    [ "$(cat "$BUNDLE/host/file")" = secret ]
    [ "$(find "$BUNDLE/host" | wc -l)" -eq 3 ]
    assert_nothing_left
    rm -rf "$BUNDLE"
  done
}

# ---- run in front of it --------------------------------------------------------------------------

@test "run: output, status and size, in a terminal" {
  make_terminal sh -c 'stty size; test -t 0 && test -t 1 && test -t 2 && echo is-tty; exit 7'
  in_terminal "'$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID'; echo status \$?"
  [[ $output == *$'33 77\nis-tty\nstatus 7' ]] || fail_with "in a terminal"
  assert_nothing_left
}

@test "run: input is relayed, and ended" {
  needs_no_terminal
  make_terminal sh
  run bash -c 'printf "stty -echo; echo one-\$((1 + 1))\nexit 5\n" | timeout 120 "$@" | tr -d "\r"; exit ${PIPESTATUS[1]}' \
    - "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  [ "$status" -eq 5 ]
  [[ $output == *one-2* ]]
  config '.process.args = ["sh", "-c", "cat; echo end"]'
  run bash -c 'printf "a line\nand more" | timeout 120 "$@" | tr -d "\r"; exit ${PIPESTATUS[1]}' \
    - "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  assert_success
  [[ $output == *"and moreend" ]]
  run timeout 120 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_success
  [ "${output//$'\r'/}" = end ] || [[ $output == *end* ]]
}

@test "run: a new size reaches the program" {
  make_terminal sh -c 'trap "stty size; exit" WINCH; touch /shared/ready; while :; do sleep 0.05; done'
  # shellcheck disable=SC2016
  in_terminal "t=\$(tty); ($(until_true "[ -e $BUNDLE/shared/ready ]"); stty rows 50 cols 90 <\$t) & '$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID'"
  [[ $output == *"50 90"* ]] || fail_with "no new size"
}

@test "run: the terminal around it is raw, and restored on every way out" {
  make_terminal sh -c 'until [ -e /shared/go ]; do sleep 0.05; done; exit 3'
  # shellcheck disable=SC2016
  local command="sh -c 'echo \$\$ >$BUNDLE/pid; exec $RUNTIME --root $ROOT run --bundle $BUNDLE $ID'" before="stty -g >$BUNDLE/before" after="stty -g >$BUNDLE/after"
  same() {
    cmp "$BUNDLE/before" "$BUNDLE/after" || fail_with "not restored: $1"
    rm "$BUNDLE/after"
    assert_nothing_left
  }
  in_terminal "$before; t=\$(tty); ($(until_true "stty -a <\$t | grep -q -- -icanon"); stty -a <\$t >$BUNDLE/during; touch $BUNDLE/shared/go) & $command; echo status \$?; $after"
  [[ $output == *"status 3"* ]]
  grep -q -- '-icanon' "$BUNDLE/during"
  grep -q -- '-isig' "$BUNDLE/during"
  same "the program ended"

  local is_ready
  is_ready=$(until_true "[ -e $BUNDLE/shared/ready ]")
  config '.process.args = ["sh", "-c", "touch /shared/ready; exec sleep 100"]'
  in_terminal "$before; ($is_ready; '$RUNTIME' --root '$ROOT' kill '$ID' KILL) & $command; echo status \$?; $after"
  [[ $output == *"status 137"* ]]
  same "the program was killed"

  local signal
  for signal in TERM INT HUP QUIT USR1; do
    config '.process.args = ["sh", "-c", "trap \"exit 9\" TERM INT HUP QUIT USR1; touch /shared/ready; while :; do sleep 0.05; done"]'
    rm "$BUNDLE/shared/ready"
    in_terminal "$before; ($is_ready; kill -$signal \$(cat $BUNDLE/pid)) & $command; echo status \$?; $after"
    [[ $output == *"status 9"* ]] || fail_with "$signal"
    same "SIG$signal"
    is_tare || break # runc may end before its container
  done

  config '.process.args = ["no-such-program"]'
  in_terminal "$before; $command; echo status \$?; $after"
  [[ $output == *"status 127"* || $output == *"status 1"* ]]
  same "no program"

  only_tare
  config '.process.args = ["true"] | .hooks.poststart = [{path: "/bin/false"}]'
  in_terminal "$before; $command; echo status \$?; $after"
  [[ $output == *"status 1"* ]]
  [[ $output == *"hooks.poststart[0]"* ]]
  same "start failed"
}

@test "run: stopped and continued, the terminal is restored in between" {
  only_tare
  make_terminal sh -c 'until [ -e /shared/go ]; do sleep 0.05; done; exit 3'
  # shellcheck disable=SC2016
  # caught: it has blocked SIGTSTP, number 20
  local caught="grep -qE '^SigBlk:.*[89abcdef]....\$' /proc/\$p/status" stopped="grep -q '^State:.T' /proc/\$p/status"
  in_terminal "stty -g >$BUNDLE/before; t=\$(tty); ($(until_true "[ -s $BUNDLE/pid ]"); p=\$(cat $BUNDLE/pid)
    $(until_true "$caught"); kill -TSTP \$p; $(until_true "$stopped"); stty -g <\$t >$BUNDLE/stopped; kill -CONT \$p
    $(until_true "stty -a <\$t | grep -q -- -icanon"); stty -a <\$t >$BUNDLE/continued; touch $BUNDLE/shared/go) &
    sh -c 'echo \$\$ >$BUNDLE/pid; exec $RUNTIME --root $ROOT run --bundle $BUNDLE $ID'; echo status \$?; stty -g >$BUNDLE/after"
  [[ $output == *"status 3"* ]] || fail_with "status"
  cmp "$BUNDLE/before" "$BUNDLE/stopped"
  grep -q -- '-icanon' "$BUNDLE/continued"
  cmp "$BUNDLE/before" "$BUNDLE/after"
}

@test "run: 64 MiB through it, every byte" {
  needs_no_terminal
  make_terminal sh -c 'stty raw -echo; cat /data'
  head -c 67108864 /dev/urandom >"$BUNDLE/rootfs/data"
  run bash -c 'timeout 250 "$@" </dev/null | sha256sum | cut -d" " -f1; exit ${PIPESTATUS[0]}' \
    - "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  assert_success
  assert_output "$(sha256sum <"$BUNDLE/rootfs/data" | cut -d' ' -f1)"
}

@test "run: a file, a slow pipe and a socket as output: every byte" {
  needs_no_terminal
  make_terminal sh -c 'stty raw -echo; cat /data'
  head -c 1048576 /dev/urandom >"$BUNDLE/rootfs/data"
  local wanted
  wanted=$(sha256sum <"$BUNDLE/rootfs/data" | cut -d' ' -f1)
  echo first >"$BUNDLE/out"
  rt run --bundle "$BUNDLE" "$ID" </dev/null >>"$BUNDLE/out" 3>&-
  [ "$(head -n 1 "$BUNDLE/out")" = first ]
  [ "$(tail -c +7 "$BUNDLE/out" | sha256sum | cut -d' ' -f1)" = "$wanted" ]
  rt run --bundle "$BUNDLE" "$ID" </dev/null 3>&- | (sleep 1; sha256sum >"$BUNDLE/sum")
  [ "$(cut -d' ' -f1 "$BUNDLE/sum")" = "$wanted" ]
  perl -MSocket -e 'socketpair (A, B, AF_UNIX, SOCK_STREAM, 0); if (!fork) { close A; open (STDOUT, ">&B"); close B;
    exec @ARGV } close B; sleep 1; print while <A>' "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&- |
    sha256sum >"$BUNDLE/sum"
  [ "$(cut -d' ' -f1 "$BUNDLE/sum")" = "$wanted" ]
}

@test "run: 4 MiB of input, every byte" {
  needs_no_terminal
  make_terminal sh -c 'stty raw -echo; echo ready; head -c 4194304 | sha256sum'
  head -c 4194304 /dev/urandom >"$BUNDLE/data"
  mkfifo "$BUNDLE/keys"
  timeout 60 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" <"$BUNDLE/keys" >"$BUNDLE/tty" 3>&- &
  local run=$!
  exec 8>"$BUNDLE/keys"
  wait_until 30 tty_has ready
  cat "$BUNDLE/data" >&8
  wait $run
  tty_has "$(sha256sum <"$BUNDLE/data" | cut -d' ' -f1)"
}

# Nothing can be written to descriptor 8.
pipe_is_full() {
  perl -e 'my $w = ""; vec ($w, 0, 1) = 1; exit select (undef, $w, undef, 0)' <&8
}

@test "run: a reader that stalls holds up no signal and no end" {
  only_tare
  make_terminal sh -c 'trap "exit 9" TERM; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done'
  mkfifo "$BUNDLE/pipe"
  exec 8<>"$BUNDLE/pipe"
  "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/pipe" 3>&- 8>&- &
  local run=$! result=0
  wait_until 30 has_status "$ID" running
  wait_until 30 pipe_is_full
  rt kill "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  kill -0 $run # what was written is still to be read
  kill -TERM $run
  wait_until 30 bash -c '! [ -e /proc/$1 ] || grep -q "State:.Z" /proc/$1/status' - "$run"
  wait $run || result=$?
  [ "$result" -eq 137 ]
  exec 8<&-
  assert_nothing_left
}

@test "run: a reader that goes away does not stop the program" {
  only_tare
  make_terminal sh -c 'i=0; while [ $i -lt 2000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i + 1)); done; exit 6'
  run bash -c 'timeout 120 "$@" </dev/null | head -n 1; exit ${PIPESTATUS[0]}' \
    - "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
  [ "$status" -eq 6 ]
}

@test "run: a terminal that everybody closes, and opens again" {
  needs_no_terminal
  make_terminal sh -c 'exec </dev/null >/dev/null 2>&1; sleep 0.5; echo back >/dev/console; exit 4'
  run timeout 120 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  [ "$status" -eq 4 ]
  [[ $output == *back* ]] || fail_with "not back"
}

@test "run: what the program leaves running holds nobody" {
  needs_no_terminal
  make_terminal sh -c 'trap "" HUP; sleep 300 & echo end; exit 4'
  config 'del(.linux.namespaces[] | select(.type == "pid"))'
  local began=$SECONDS
  run timeout 250 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  [ "$status" -eq 4 ]
  [[ $output == *end* ]]
  [ $((SECONDS - began)) -lt 200 ]
  assert_nothing_left
}

@test "run --console-socket: the terminal goes there" {
  only_tare
  make_terminal sh -c 'echo there; exit 4'
  receiver
  run --separate-stderr timeout 120 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" --console-socket "$BUNDLE/socket" "$ID" 3>&- 8>&-
  [ "$status" -eq 4 ]
  [ -z "$output" ]
  wait_until 30 tty_has there
}

@test "T26: TIOCSTI reaches no terminal of the host" {
  make_terminal /bin/tiocsti
  cp "$TOOLS/tiocsti" "$BUNDLE/rootfs/bin/tiocsti"
  # script's end of file comes first, or last
  local command typed="for i in 1 2 3; do read -t 0.3 line && break; done; echo \"line <\$line>\""
  command="'$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID'; $typed"
  in_terminal "$command"
  [[ $output == *"line <>"* ]] || fail_with "with a terminal of its own"
  config '.process.terminal = false'
  in_terminal "$command"
  [[ $output == *"line <>"* ]] || fail_with "with ours on 0 to 2"
  in_terminal "'$TOOLS/tiocsti'; $typed" # the control
  [[ $output == *"line <echo typed>"* ]] || fail_with "the kernel lets nobody type: nothing is proven"
}
