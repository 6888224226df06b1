#!/usr/bin/env bats
# Hooks, all six kinds: when, where, with what, and what their failure means (config.md
# "POSIX-platform Hooks", runtime.md "Lifecycle").

load helpers

# A bundle with every kind of hook, each of which appends "KIND STATE" to a log and what it sees of
# its surroundings to a file of its own: outside in $BUNDLE, startContainer's in the root.
make_hooked() {
  make_bundle "$@"
  cat >"$BUNDLE/hook" <<'SCRIPT'
#!/bin/sh
kind=$1 to=$2
state=$(cat)
printf '%s %s\n' "$kind" "$state" >>"$to/log"
{
  echo "cwd $(pwd)"
  echo "self $$"
  for n in mnt pid net uts ipc; do echo "$n $(readlink /proc/self/ns/$n)"; done
  echo "hostname $(hostname)"
  grep -E '^(Uid|Cap|Sig)' /proc/self/status
  echo "umask $(umask)"
  echo "fds $(ls /proc/self/fd | tr '\n' ' ')"
  env
} >"$to/$kind"
SCRIPT
  chmod +x "$BUNDLE/hook"
  cp "$BUNDLE/hook" "$BUNDLE/rootfs/bin/hook"
  mkdir -p "$BUNDLE/rootfs/hooks"
  chmod 777 "$BUNDLE/rootfs/hooks"
  # shellcheck disable=SC2016
  config '.root.readonly = false | .annotations = {"org.example.path": "a/b", "q\"": "\u0001é"} |
    def hook(kind): [{path: ($bundle + "/hook"), args: ["hook", kind, $bundle], env: ["A=" + kind, "PATH=/usr/bin:/bin"]}];
    .hooks = {prestart: hook("prestart"), createRuntime: hook("createRuntime"), createContainer: hook("createContainer"),
      startContainer: [{path: "/bin/hook", args: ["hook", "startContainer", "/hooks"]}],
      poststart: hook("poststart"), poststop: hook("poststop")}' --arg bundle "$BUNDLE"
}

create() {
  rt create --bundle "$BUNDLE" "$@" "$ID" </dev/null >"$BUNDLE/out" 2>"$BUNDLE/err" 3>&-
}

# The word after the first in the line of a hook's report.
seen() {
  sed -n "s/^$2 //p" "$BUNDLE/$1"
}

state_of() {
  sed -n "s/^$1 //p" "$BUNDLE/log" | head -n 1
}

kinds() {
  cut -d' ' -f1 "$BUNDLE/log" | tr '\n' ' '
}

# One hook of a kind, a shell script.
add_hook() {
  local kind=$1 script=$2 timeout=${3:-null}
  # shellcheck disable=SC2016
  config '.hooks[$kind] += [{path: "/bin/sh", args: ["sh", "-c", $script], timeout: $timeout} | del(.timeout | nulls)]' \
    --arg kind "$kind" --arg script "$script" --argjson timeout "$timeout"
}

# ---- when and where ------------------------------------------------------------------------------

@test "all six kinds: in order, once, with the state" {
  only_tare # runc 1.1 runs poststart in create
  make_hooked sh -c 'cat /hooks/startContainer >/dev/null && sleep 100'
  create
  [ "$(kinds)" = "prestart createRuntime createContainer " ]
  [ ! -e "$BUNDLE/rootfs/hooks/log" ]
  local pid kind
  pid=$(pid_of "$ID")
  rt start "$ID"
  [ "$(kinds)" = "prestart createRuntime createContainer poststart " ]
  [ "$(cut -d' ' -f1 "$BUNDLE/rootfs/hooks/log")" = startContainer ]
  rt kill "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  rt delete "$ID"
  [ "$(kinds)" = "prestart createRuntime createContainer poststart poststop " ]
  assert_nothing_left
  local state
  while read -r kind state; do
    jq -e --arg id "$ID" --arg bundle "$BUNDLE" '.id == $id and .bundle == $bundle and (.ociVersion | startswith("1."))
      and .annotations["org.example.path"] == "a/b"' <<<"$state"
  done < <(cat "$BUNDLE/log" "$BUNDLE/rootfs/hooks/log")
  [[ $(cat "$BUNDLE/log") != *'\/'* ]]
  local status
  while read -r kind status pid; do
    [ "$(state_of "$kind" | jq -r '"\(.status) \(.pid)"')" = "$status $pid" ] || fail_with "$kind: $(state_of "$kind")"
  done <<ROWS
prestart creating $pid
createRuntime creating $pid
createContainer creating 1
poststart running $pid
poststop stopped null
ROWS
  [ "$(sed -n 's/^startContainer //p' "$BUNDLE/rootfs/hooks/log" | jq -r '"\(.status) \(.pid)"')" = "created 1" ]
  [ "$(state_of prestart | jq '.annotations | length')" -eq 2 ]
}

@test "the namespaces of each kind" {
  make_hooked sleep 100
  create
  local pid kind name
  pid=$(pid_of "$ID")
  rt start "$ID"
  for name in mnt pid net uts ipc; do
    for kind in prestart createRuntime poststart; do
      [ "$(seen $kind $name)" = "$(readlink /proc/self/ns/$name)" ] || fail_with "$kind: $name"
    done
    [ "$(seen createContainer $name)" = "$(readlink "/proc/$pid/ns/$name")" ] || fail_with "createContainer: $name"
    [ "$(seen rootfs/hooks/startContainer $name)" = "$(readlink "/proc/$pid/ns/$name")" ] || fail_with "startContainer: $name"
  done
  rt delete --force "$ID"
  [ "$(seen poststop mnt)" = "$(readlink /proc/self/ns/mnt)" ]
}

@test "directory, environment, descriptors, umask, signals and capabilities" {
  make_hooked sleep 100
  config '.process.env += ["OF=process"] | .process.cwd = "/hooks" |
    .process.capabilities.inheritable = ["CAP_KILL"] | .process.capabilities.ambient = ["CAP_KILL"] |
    .process.user.uid = 1000'
  (umask 027; create)
  rt start "$ID"
  rt delete --force "$ID"
  local kind
  for kind in prestart createRuntime createContainer poststart poststop; do
    [ "$(seen $kind A=$kind | wc -l)" -eq 0 ] # it is there, but not with a blank:
    grep -qx "A=$kind" "$BUNDLE/$kind" || fail_with "$kind: its environment"
    ! grep -q '^HOME=' "$BUNDLE/$kind" || fail_with "$kind: more than its environment"
    is_tare || continue
    [ "$(seen $kind cwd)" = "$BUNDLE" ] || fail_with "$kind: $(seen $kind cwd)"
    [ "$(seen $kind fds)" = "0 1 2 3 " ] || fail_with "$kind: descriptors $(seen $kind fds)"
    grep -q 'CapInh:.0000000000000000' "$BUNDLE/$kind"
    grep -q 'CapAmb:.0000000000000000' "$BUNDLE/$kind"
    grep -q 'SigBlk:.0000000000000000' "$BUNDLE/$kind"
  done
  # what a hook of the container does not say, it has from the process
  kind=rootfs/hooks/startContainer
  grep -qx OF=process "$BUNDLE/$kind"
  grep -q 'Uid:.1000' "$BUNDLE/$kind"
  only_tare
  grep -q '^HOME=' "$BUNDLE/$kind"
  [ "$(seen $kind cwd)" = /hooks ]
  [ "$(seen $kind fds)" = "0 1 2 3 " ]
  [ "$(seen createContainer umask)" = 0027 ]
  grep -q 'CapInh:.0000000000000000' "$BUNDLE/$kind"
  grep -q 'CapAmb:.0000000000000000' "$BUNDLE/$kind"
  grep -q 'SigBlk:.0000000000000000' "$BUNDLE/$kind"
}

@test "without an environment: the runtime's own" {
  make_bundle true
  local kind
  for kind in prestart createContainer poststart; do
    add_hook $kind "env >'$BUNDLE/$kind'"
  done
  PROBE=of-the-runtime run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  grep -qx PROBE=of-the-runtime "$BUNDLE/prestart"
  grep -qx PROBE=of-the-runtime "$BUNDLE/poststart"
  only_tare
  grep -qx PROBE=of-the-runtime "$BUNDLE/createContainer"
}

@test "several of a kind, in the listed order" {
  make_bundle true
  local i kind
  for kind in createRuntime createContainer poststart poststop; do
    for i in 1 2 3; do
      add_hook $kind "echo $kind$i >>'$BUNDLE/log'"
    done
  done
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  [ "$(tr '\n' ' ' <"$BUNDLE/log")" = "createRuntime1 createRuntime2 createRuntime3 createContainer1 createContainer2 \
createContainer3 poststart1 poststart2 poststart3 poststop1 poststop2 poststop3 " ]
}

@test "what createRuntime and createContainer mount into the root is seen inside" {
  make_bundle cat /injected/runtime /injected/container
  mkdir -p "$BUNDLE/rootfs/injected" "$BUNDLE/source"
  touch "$BUNDLE/rootfs/injected/runtime" "$BUNDLE/rootfs/injected/container"
  echo from-outside >"$BUNDLE/source/runtime"
  echo from-inside >"$BUNDLE/source/container"
  add_hook createRuntime "pid=\$(sed 's/.*\"pid\":\([0-9]*\).*/\1/'); nsenter -t \$pid -m mount --bind \
'$BUNDLE/source/runtime' '$BUNDLE/rootfs/injected/runtime'"
  add_hook createContainer "mount --bind '$BUNDLE/source/container' '$BUNDLE/rootfs/injected/container'"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output $'from-outside\nfrom-inside'
}

@test "a startContainer hook may bring the program" {
  only_tare
  make_bundle /new/program
  config '.root.readonly = false'
  mkdir "$BUNDLE/rootfs/new"
  printf '#!/bin/sh\necho brought\n' >"$BUNDLE/rootfs/program"
  chmod +x "$BUNDLE/rootfs/program"
  add_hook startContainer "mv /program /new/program"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output brought
  config '.process.args = ["/new/nothing"] | .hooks = {}'
  add_hook startContainer true
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 127 "/new/nothing"
  assert_nothing_left
}

@test "hooks are those of the config that create read" {
  make_bundle sleep 100
  add_hook poststart "echo old >>'$BUNDLE/log'"
  add_hook poststop "echo old-stop >>'$BUNDLE/log'"
  create
  config '.hooks = {poststart: [{path: "/no/such"}], poststop: [{path: "/no/such"}]}'
  rt start "$ID"
  rt delete --force "$ID"
  [ "$(tr '\n' ' ' <"$BUNDLE/log")" = "old old-stop " ]
}

@test "poststop: with the bundle already gone" {
  only_tare
  make_bundle sleep 100
  add_hook poststop "pwd >'$WORK/gone'"
  create
  rm -rf "$BUNDLE/config.json"
  mv "$BUNDLE" "$BUNDLE.away"
  rt delete --force "$ID"
  mv "$BUNDLE.away" "$BUNDLE"
  [ "$(cat "$WORK/gone")" = / ]
  assert_nothing_left
}

# ---- failures ------------------------------------------------------------------------------------

@test "a hook of create that fails: one line, nothing left, poststop runs" {
  local kind verb
  for kind in prestart createRuntime createContainer; do
    make_bundle echo never
    add_hook $kind 'echo the reason; exit 3'
    add_hook $kind "touch '$BUNDLE/not-me'"
    add_hook poststop "cat >>'$BUNDLE/stopped'"
    for verb in create run; do
      rm -f "$BUNDLE/stopped"
      run_rt $verb --bundle "$BUNDLE" --pid-file "$BUNDLE/pid" "$ID"
      [ "$status" -eq 1 ] || fail_with "$verb with a failing $kind"
      [ -z "$output" ]
      assert_nothing_left
      [ ! -e "$BUNDLE/not-me" ]
      is_tare || continue
      assert_error 1 "hooks.$kind[0] '/bin/sh': exit status 3: the reason"
      [ ! -e "$BUNDLE/pid" ]
      [ "$(jq -r .status "$BUNDLE/stopped")" = stopped ]
      [ -z "$(processes_of "$BUNDLE")" ]
    done
    rm -rf "$BUNDLE"
  done
}

@test "poststop is not run for what fails before any hook" {
  only_tare
  make_bundle true
  add_hook poststop "touch '$BUNDLE/stopped'"
  config '.linux.sysctl = {"net.no.such": "1"}'
  run_rt create --bundle "$BUNDLE" "$ID"
  [ "$status" -eq 1 ]
  [ ! -e "$BUNDLE/stopped" ]
  assert_nothing_left
}

@test "startContainer or poststart that fails: start fails, the container is gone" {
  only_tare
  local kind
  for kind in startContainer poststart; do
    make_bundle sleep 100
    add_hook $kind 'echo the reason >&2; exit 4'
    add_hook poststop "cat >>'$BUNDLE/stopped'"
    create
    local pid
    pid=$(pid_of "$ID")
    run_rt start "$ID"
    assert_error 1 "hooks.$kind[0] '/bin/sh': exit status 4: the reason"
    assert_nothing_left
    [ "$(jq -r .status "$BUNDLE/stopped")" = stopped ]
    wait_until 30 bash -c '! [ -e /proc/$1 ] || grep -q "State:.Z" /proc/$1/status' - "$pid"
    rm "$BUNDLE/stopped"
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_error 1 "hooks.$kind[0] '/bin/sh': exit status 4: the reason"
    assert_nothing_left
    run_rt run --detach --bundle "$BUNDLE" "$ID"
    assert_error 1 "hooks.$kind[0]"
    assert_nothing_left
    rm -rf "$BUNDLE"
  done
}

@test "poststop that fails: a warning, the others run, the container is gone" {
  only_tare # runc 1.1 stops at the first
  make_bundle true
  add_hook poststop 'echo no good; exit 5'
  add_hook poststop "touch '$BUNDLE/second'"
  run_rt run --keep --bundle "$BUNDLE" "$ID"
  run --separate-stderr "$RUNTIME" --root "$ROOT" --log "$BUNDLE/log.json" --log-format json --log-level warning \
    delete "$ID" 3>&-
  [ -e "$BUNDLE/second" ]
  assert_nothing_left
  assert_success
  [ -z "$stderr" ]
  jq -es 'length == 1 and .[0].level == "warning" and (.[0].msg | contains("hooks.poststop[0]") and contains("no good"))' \
    "$BUNDLE/log.json"
}

@test "T59: a hook that is not there, or cannot be executed, or dies" {
  only_tare
  make_bundle true
  config '.hooks.createRuntime = [{path: "/no/such/hook"}]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "hooks.createRuntime[0] '/no/such/hook': No such file or directory"
  config '.hooks = {createContainer: [{path: "/etc/passwd"}]}'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "hooks.createContainer[0] '/etc/passwd': Permission denied"
  config '.hooks = {startContainer: [{path: "/no/such/hook"}]}'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "hooks.startContainer[0] '/no/such/hook': No such file or directory"
  config '.hooks = {}'
  # shellcheck disable=SC2016
  add_hook prestart 'kill -SEGV $$'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "hooks.prestart[0] '/bin/sh': killed by signal 11"
  assert_nothing_left
}

@test "T59: a config of hooks that is wrong" {
  only_tare
  make_bundle true
  local filter words
  while IFS='|' read -r filter words; do
    config ".hooks = $filter"
    run_rt create --bundle "$BUNDLE" "$ID"
    assert_error 1 "$words"
    assert_nothing_left
  done <<'ROWS'
{poststop: [{path: "bin/sh"}]}|config.json: hooks.poststop[0].path: 'bin/sh' is not absolute
{prestart: [{path: "/bin/true"}, {path: ""}]}|hooks.prestart[1].path
{createRuntime: [{path: "/bin/true", timeout: 0}]}|hooks.createRuntime[0].timeout
{createRuntime: [{path: "/bin/true", timeout: -1}]}|hooks.createRuntime[0].timeout
{createRuntime: [{args: ["x"]}]}|hooks.createRuntime[0].path: required
ROWS
}

# ---- hostile ones --------------------------------------------------------------------------------

@test "T59: a hook that hangs: its timeout ends it and its whole group" {
  only_tare
  local kind
  for kind in createRuntime createContainer startContainer poststart; do
    make_bundle sleep 100
    config '.root.readonly = false'
    add_hook $kind '(trap "" TERM; exec sleep 77.7) & sleep 88.8' 1
    local began=$SECONDS
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_error 1 "hooks.$kind[0] '/bin/sh': hook ran past its timeout of 1 s"
    [ $((SECONDS - began)) -lt 60 ]
    assert_nothing_left
    ! pgrep -fx 'sleep (77.7|88.8)' || fail_with "a process of $kind is left"
    rm -rf "$BUNDLE"
  done
  make_bundle true
  add_hook poststop 'sleep 99.9' 1
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  [[ $stderr == *"hooks.poststop[0] '/bin/sh': hook ran past its timeout of 1 s"* ]]
  [ -z "$(pgrep -fx 'sleep 99.9')" ]
  assert_nothing_left
}

@test "T59: 10 MiB of output, input that is not read, a large state" {
  make_bundle echo done
  local kind
  # shellcheck disable=SC2016
  config '.annotations = {large: ([range(200000)] | map("x") | add)}'
  for kind in prestart createRuntime createContainer poststart poststop; do
    add_hook $kind 'head -c 10485760 /dev/zero; head -c 10485760 /dev/zero >&2'
    add_hook $kind 'exec <&-; exit 0'
    add_hook $kind "[ \$(wc -c) -gt 200000 ]"
  done
  add_hook startContainer 'head -c 10485760 /dev/zero'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output "done"
  [ -z "$stderr" ]
}

@test "T59: a daemon that a hook leaves behind holds nobody" {
  make_bundle echo done
  local began=$SECONDS
  add_hook createContainer 'sleep 300 & exit 0'
  if is_tare; then
    add_hook createRuntime "sleep 300 & echo \$! >>$BUNDLE/daemons"
    add_hook poststop "sleep 300 & echo \$! >>$BUNDLE/daemons"
    add_hook startContainer 'sleep 300 & exit 0'
  fi
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output "done"
  only_tare
  [ $((SECONDS - began)) -lt 200 ]
  [ "$(wc -l <"$BUNDLE/daemons")" -eq 2 ]
  xargs kill <"$BUNDLE/daemons" # they were still there
}

@test "run.oci.hooks.stdout and .stderr: the output of all, appended" {
  make_bundle true
  local kind
  for kind in prestart createRuntime createContainer poststart poststop startContainer; do
    add_hook $kind "echo out-$kind; echo err-$kind >&2"
  done
  echo before >"$BUNDLE/stdout"
  config '.annotations = {"run.oci.hooks.stdout": ($b + "/stdout"), "run.oci.hooks.stderr": ($b + "/stderr")}' --arg b "$BUNDLE"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  assert_output ""
  [ "$(xargs <"$BUNDLE/stdout")" = "before out-prestart out-createRuntime out-createContainer out-startContainer out-poststart out-poststop" ]
  [ "$(xargs <"$BUNDLE/stderr")" = "err-prestart err-createRuntime err-createContainer err-startContainer err-poststart err-poststop" ]
  only_tare
  # only one of them; what fails still says why
  config 'del (.annotations["run.oci.hooks.stderr"])'
  add_hook prestart 'echo lost; echo why >&2; exit 3'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "exit status 3: why"
  config '.annotations["run.oci.hooks.stderr"] = "/nowhere/file" | del (.hooks.poststop)'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "annotations.run.oci.hooks.stderr: open '/nowhere/file'"
  assert_nothing_left
}

@test "the program has no child but its own, whatever its hooks started" {
  only_tare
  make_bundle sh -c 'cat /proc/1/task/1/children; ls -d /proc/[0-9]*'
  add_hook createContainer '(true &); true & exit 0'
  add_hook startContainer '(true &); true & exit 0'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  [[ $output != *"/proc/2"$'\n'* ]]
}

@test "with a user namespace, and with a seccomp filter" {
  only_tare
  make_hooked sleep 100
  chmod 755 "$WORK" "$BUNDLE"
  chmod 777 "$BUNDLE"
  chown 100000:100000 "$BUNDLE/rootfs" "$BUNDLE/rootfs/hooks"
  config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
    .linux.gidMappings = .linux.uidMappings | .process.noNewPrivileges = false |
    .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38}]}'
  touch "$BUNDLE/log"
  chmod 666 "$BUNDLE/log"
  create || fail_with "$(cat "$BUNDLE/err")"
  rt start "$ID"
  rt delete --force "$ID"
  [ "$(kinds)" = "prestart createRuntime createContainer poststart poststop " ]
  grep -q '^startContainer' "$BUNDLE/rootfs/hooks/log"
  grep -q 'Uid:.0' "$BUNDLE/createContainer"
  [ "$(stat -c %u "$BUNDLE/createContainer")" = 100000 ]
  assert_nothing_left
}
