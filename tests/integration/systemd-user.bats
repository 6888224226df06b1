#!/usr/bin/env bats
# An ordinary user whose own systemd makes the scopes: the life cycle, limits of the controllers that
# are delegated, and the line that says why there are no others.
# guest: only

load helpers
load rootless
load systemd

setup_file () {
  user_manager_begin
  file_begin
  user_begin
}
setup () {
  test_begin
  HOME_GROUP=/user.slice/user-$USER_ID.slice/user@$USER_ID.service
  UNIT=pre-$ID.scope
  GROUP=$HOME_GROUP/user.slice/$UNIT
}

user_systemctl () {
  as_user systemctl --user "$@"
}

# container [FILTER]: detached, with the user's scope
container () {
  make_user_bundle sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done'
  config '.linux.cgroupsPath = $path' --arg path "user.slice:pre:$ID"
  config "${1:-.}"
  rt --systemd-cgroup create --bundle "$BUNDLE" "$ID" </dev/null >"$WORK/out" 2>"$WORK/err" ||
    { cat "$WORK/err" >&2; return 1; }
}

@test "create, start, exec, kill, delete: in a scope of the user's own manager" {
  container
  local pid
  pid=$(pid_of "$ID")
  [ "$(group_of "$pid")" = "$GROUP" ]
  [ "$(user_systemctl show "$UNIT" --property ActiveState)" = ActiveState=active ]
  # the machine's own systemd knows nothing of it
  unit_is "$UNIT" not-found
  rt start "$ID"
  rt exec --detach --pid-file "$BUNDLE/pid" "$ID" sleep 1000 </dev/null >/dev/null 2>&1
  [ "$(group_of "$(cat "$BUNDLE/pid")")" = "$GROUP" ]
  run rt exec "$ID" id -u 3>&-
  assert_output 0
  rt kill "$ID" TERM
  wait_until 30 has_status "$ID" stopped
  rt delete "$ID"
  [ "$(user_systemctl show "$UNIT" --property LoadState)" = LoadState=not-found ]
  [ ! -e "/sys/fs/cgroup$GROUP" ]
  assert_nothing_left
}

@test "run: the program's status; by default a scope of the user's user.slice" {
  make_user_bundle sh -c 'cat /proc/self/cgroup; exit 3'
  config 'del(.linux.cgroupsPath) | .linux.namespaces -= [{type: "cgroup"}]'
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  [ "$status" -eq 3 ]
  assert_output "0::$HOME_GROUP/user.slice/tare-$ID.scope"
  assert_nothing_left
}

@test "limits of the delegated controllers are in force, and updated" {
  local controllers
  controllers=$(cat "/sys/fs/cgroup$HOME_GROUP/cgroup.controllers")
  echo "# delegated: $controllers" >&3
  [[ $controllers == *memory*pids* ]]
  container '.linux.resources = {memory: {limit: 104857600}, pids: {limit: 30}}'
  [ "$(limit memory.max) $(limit pids.max)" = '104857600 30' ]
  [ "$(user_systemctl show "$UNIT" --property TasksMax)" = TasksMax=30 ]
  rt update --memory 209715200 --pids-limit 40 "$ID"
  user_systemctl daemon-reload
  [ "$(limit memory.max) $(limit pids.max)" = '209715200 40' ]
  rt delete --force "$ID"
  assert_nothing_left
}

@test "a limit whose controller is not delegated is an error that says so" {
  run ! grep -qw cpuset "/sys/fs/cgroup$HOME_GROUP/cgroup.controllers"
  make_user_bundle true
  config '.linux.resources = {cpu: {cpus: "0"}}'
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 1 linux.resources.cpu.cpus
  echo "# $stderr" >&3
  assert_nothing_left
}

@test "without the user's manager the error says what has to lead to it" {
  make_user_bundle true
  mkdir "$WORK/nothing" && chown "$USER_ID" "$WORK/nothing"
  USER_RUN=$WORK/nothing run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  assert_error 1 "connect to the user's systemd: "
  [[ $stderr == *XDG_RUNTIME_DIR* ]]
  assert_nothing_left
}

@test "the helper is started once for a container, and never to find the manager" {
  local helper=/usr/local/libexec/tare/tare-systemd
  make_user_bundle true
  config '.linux.cgroupsPath = $path | .linux.resources = {pids: {limit: 30}}' --arg path "user.slice:pre:$ID"
  # other files' containers are root's
  : >"$WORK/calls"
  chown "$USER_ID" "$WORK/calls"
  cp $helper "$WORK/real"
  cat >"$WORK/wrapper" <<SCRIPT
#!/bin/sh
[ "\$(id -u)" -eq 0 ] || echo "\$@" >>$WORK/calls
exec $WORK/real "\$@"
SCRIPT
  chmod 755 "$WORK/wrapper"
  cp "$WORK/real" $helper.real
  mv "$WORK/wrapper" $helper
  run_rt --systemd-cgroup run --bundle "$BUNDLE" "$ID"
  mv $helper.real $helper
  assert_success
  run grep -v -- '--user stop ' "$WORK/calls"
  assert_output "--user start $UNIT"
}
