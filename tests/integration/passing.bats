#!/usr/bin/env bats
# What is passed in and out: LISTEN_FDS and descriptors to preserve, NOTIFY_SOCKET, pidfds.

load helpers
load inside

setup_file() {
  file_begin
  cp "$(tool notify)" "$WORK/rootfs/bin/notify"
}
setup() {
  test_begin
  unset SUPERVISOR
}
teardown() {
  [ -z "${SUPERVISOR:-}" ] || kill "$SUPERVISOR" 2>/dev/null || true
  test_end
}

# listening FDS [NAME=VALUE...] -- ARGUMENT...: tare with LISTEN_FDS and LISTEN_PID (its own, unless
# it is given), and with the files $BUNDLE/3, $BUNDLE/4, ... as descriptors.
listening() {
  local fds=$1 variables=()
  shift
  while [ "$1" != -- ]; do
    variables+=("$1")
    shift
  done
  shift
  # shellcheck disable=SC2016
  run --separate-stderr env "${variables[@]}" LISTEN_FDS="$fds" BUNDLE="$BUNDLE" bash -c '
    for i in 3 4 5; do echo "file $i" >"$BUNDLE/$i"; done
    exec 3<"$BUNDLE/3" 4<"$BUNDLE/4" 5<"$BUNDLE/5"
    [ "${LISTEN_PID:-}" != own ] || LISTEN_PID=$$
    exec "$@" </dev/null' - "$RUNTIME" --root "$ROOT" "$@"
}

@test "LISTEN_FDS: descriptors, numbers, and the pid as the program sees it" {
  make_bundle sh -c 'env | grep LISTEN | sort; cat <&3; cat <&4; ls /proc/self/fd | wc -l'
  config '.process.env += ["LISTEN_PID=77", "LISTEN_FDS=9"]'
  only_tare # others leave two of a name there
  listening 2 LISTEN_PID=own -- run --bundle "$BUNDLE" "$ID"
  assert_success
  # 0, 1, 2, the two, and that of ls itself
  assert_output $'LISTEN_FDS=2\nLISTEN_PID=1\nfile 3\nfile 4\n6'
  # without a pid namespace of its own it is not 1
  config '.linux.namespaces |= map (select (.type != "pid")) | .process.args[2] = "[ $LISTEN_PID = $$ ] && echo same"'
  listening 1 -- run --bundle "$BUNDLE" "$ID"
  assert_output same
}

@test "LISTEN_FDS of another process are nothing to us" {
  make_bundle sh -c 'env | grep -c LISTEN; ls /proc/self/fd | wc -l'
  only_tare
  listening 2 LISTEN_PID=1 -- run --bundle "$BUNDLE" "$ID"
  assert_output $'0\n4'
  listening no -- run --bundle "$BUNDLE" "$ID"
  assert_output $'0\n4'
}

@test "those to preserve come after those of LISTEN_FDS" {
  make_bundle sh -c 'env | grep LISTEN_FDS; cat <&3; cat <&4; cat <&5'
  listening 1 LISTEN_PID=own -- run --preserve-fds 2 --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output $'LISTEN_FDS=1\nfile 3\nfile 4\nfile 5'
}

@test "LISTEN_FDS that are not there" {
  make_bundle true
  only_tare
  listening 4 LISTEN_PID=own -- run --bundle "$BUNDLE" "$ID"
  [ "$status" -eq 1 ]
  [[ $stderr == *"unable to stat preserved-fd 3 (of 4): descriptor 6 is not open"* ]]
  assert_nothing_left
}

@test "exec: LISTEN_FDS" {
  make_bundle sleep 1000
  only_tare
  rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
  listening 1 LISTEN_PID=own -- exec "$ID" sh -c '[ $LISTEN_PID = $$ ] && cat <&3'
  assert_success
  assert_output "file 3"
}

# ---- NOTIFY_SOCKET -------------------------------------------------------------------------------

supervise() {
  "$(tool notify)" listen "$BUNDLE/supervisor" "$BUNDLE/log" >/dev/null 2>"$BUNDLE/supervisor.err" 3>&- &
  SUPERVISOR=$!
  wait_until 30 [ -S "$BUNDLE/supervisor" ]
  export NOTIFY_SOCKET=$BUNDLE/supervisor
}

said() {
  grep -qxF -- "$1, ${2:-0} descriptors" "$BUNDLE/log"
}

@test "run: ready is handed on, and nothing else" {
  make_bundle sh -c 'notify send "MAINPID=1
STATUS=busy"; notify send "XREADY=1"; notify send "STATUS=done
READY=1"; echo $NOTIFY_SOCKET; ls /run/notify; touch /run/notify/x 2>&1; notify send STOPPING=1 || true'
  supervise
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  only_tare # others use other paths
  [ "${lines[0]}" = /run/notify/notify.sock ]
  [ "${lines[1]}" = notify.sock ]
  [[ ${lines[2]} == *"Read-only file system"* ]]
  said "READY=1 "
  [ "$(wc -l <"$BUNDLE/log")" -eq 1 ]
}

@test "start waits until it is ready, and says whom to watch, then for the supervisor" {
  make_bundle sh -c 'while [ ! -e /tmp/go ]; do sleep 0.05; done; notify send READY=1; sleep 1000'
  config '.mounts += [{destination: "/tmp", type: "bind", source: $s, options: ["bind"]}]' --arg s "$BUNDLE/tmp"
  mkdir "$BUNDLE/tmp"
  supervise
  create --pid-file "$BUNDLE/pid"
  rt start "$ID" </dev/null >"$BUNDLE/start.out" 2>&1 3>&- &
  local start=$!
  wait_until 30 has_status "$ID" running
  kill -0 $start # it has not returned
  [ ! -s "$BUNDLE/log" ]
  touch "$BUNDLE/tmp/go"
  wait $start
  [ ! -s "$BUNDLE/start.out" ]
  said "READY=1 "
  said "MAINPID=$(cat "$BUNDLE/pid") "
  said "BARRIER=1" 1
  has_status "$ID" running
}

@test "run --detach: a program that ends before it is ready holds nobody; users and user namespaces" {
  make_bundle true
  supervise
  run_rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null
  assert_success
  [ ! -s "$BUNDLE/log" ]
  rt delete --force "$ID"
  config '.process.args = ["notify", "send", "READY=1"] | .process.user = {uid: 5, gid: 5}'
  run_rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null
  assert_success
  said "BARRIER=1" 1
  rt delete --force "$ID"
  : >"$BUNDLE/log"
  config '.linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
  chmod go+rx "$WORK" "$BUNDLE" # the state root stays as it is
  chown 100000:100000 "$BUNDLE/rootfs"
  run_rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null
  assert_success
  said "BARRIER=1" 1
}

@test "a socket that the config brings is the one that is meant; without a supervisor there is none" {
  make_bundle sh -c 'echo "${NOTIFY_SOCKET:-none}"; ls -d /run/notify 2>/dev/null'
  only_tare
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output none
  supervise
  config '.process.env += ["NOTIFY_SOCKET=/elsewhere"]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output /elsewhere
}

@test "a supervisor that is not there: the error says so, detached or not" {
  make_bundle notify send READY=1
  only_tare
  NOTIFY_SOCKET=$BUNDLE/nobody run_rt run --detach --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "NOTIFY_SOCKET '$BUNDLE/nobody': No such file or directory"
  assert_nothing_left
  NOTIFY_SOCKET=relative run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "NOTIFY_SOCKET 'relative': is neither an absolute path"
  assert_nothing_left
}

# ---- the pid file --------------------------------------------------------------------------------

# Who has the old one open, or another name of it, sees the old one whole.
@test "--pid-file: a new file takes the place of the old one, of create, run and exec; no link is followed" {
  make_bundle sleep 1000
  only_tare
  echo old >"$BUNDLE/pid"
  ln "$BUNDLE/pid" "$BUNDLE/other"
  create --pid-file "$BUNDLE/pid"
  [ "$(cat "$BUNDLE/other")" = old ]
  [ "$(cat "$BUNDLE/pid")" = "$(pid_of "$ID")" ]
  [ "$(wc -l <"$BUNDLE/pid")" -eq 0 ]
  rt start "$ID"
  ln -f "$BUNDLE/pid" "$BUNDLE/other"
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >/dev/null
  [ "$(cat "$BUNDLE/other")" = "$(pid_of "$ID")" ]
  [ "$(cat "$BUNDLE/pid")" != "$(pid_of "$ID")" ]
  rt delete --force "$ID"
  echo old >"$BUNDLE/other"
  ln -sf other "$BUNDLE/pid"
  rt run --detach --pid-file "$BUNDLE/pid" --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
  [ "$(cat "$BUNDLE/other")" = old ]
  [ "$(cat "$BUNDLE/pid")" = "$(pid_of "$ID")" ]
  [ -z "$(find "$BUNDLE" -maxdepth 1 -name '.*pid*')" ]
}

# ---- pidfds --------------------------------------------------------------------------------------

# The process whose pidfd comes to $BUNDLE/pidfd.
receiver() {
  rm -f "$BUNDLE/pidfd" "$BUNDLE/received"
  timeout 120 "$(tool notify)" pidfd "$BUNDLE/pidfd" "$BUNDLE/received" >/dev/null 2>&1 3>&- &
  SUPERVISOR=$!
  wait_until 30 [ -S "$BUNDLE/pidfd" ]
}

@test "--pidfd-socket and run.oci.pidfd_receiver: of the process that was made" {
  make_bundle sleep 1000
  only_tare
  receiver
  create --pidfd-socket "$BUNDLE/pidfd" --pid-file "$BUNDLE/pid"
  wait $SUPERVISOR
  [ "$(cat "$BUNDLE/received")" = "$(cat "$BUNDLE/pid")" ]
  receiver
  rt exec --detach --pidfd-socket "$BUNDLE/pidfd" --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >/dev/null
  wait $SUPERVISOR
  [ "$(cat "$BUNDLE/received")" = "$(cat "$BUNDLE/pid")" ]
  rt delete --force "$ID"
  receiver
  config '.annotations["run.oci.pidfd_receiver"] = $s' --arg s "$BUNDLE/pidfd"
  create --pid-file "$BUNDLE/pid"
  wait $SUPERVISOR
  [ "$(cat "$BUNDLE/received")" = "$(cat "$BUNDLE/pid")" ]
  rt delete --force "$ID"
  rm "$BUNDLE/pidfd" "$BUNDLE/pid"
  run_rt create --bundle "$BUNDLE" --pid-file "$BUNDLE/pid" "$ID"
  assert_error 1 "annotations.run.oci.pidfd_receiver: send the pidfd to '$BUNDLE/pidfd'"
  [ ! -e "$BUNDLE/pid" ]
  assert_nothing_left
}
