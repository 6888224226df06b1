#!/usr/bin/env bats
# What the managers take from the command line, to the letter: outputs compared with
# tests/golden/cli, and for every failure that a manager tells apart, the pattern by which it does.
# UPDATE_GOLDEN=1 writes the files anew; read the difference before you keep it.

# shellcheck disable=SC2154
load helpers

GOLDEN=$TOP/tests/golden/cli

setup_file() {
  file_begin
  mkdir -m 700 "$ROOT"
}

# What differs from run to run by its name.
normalise() {
  sed -E -e "s|$ID|ID|g" -e "s|$WORK|WORK|g" -e 's|bundle-[0-9]+|BUNDLE|g' \
    -e 's/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z/TIME/g' \
    -e 's/("pid": ?)[1-9][0-9]*/\1PID/g' -e 's/^(ID +)[1-9][0-9]* +/\1PID /' \
    -e '/^ID/s/  +/  /g'
}

# compare NAME: standard input with that golden file.
compare() {
  normalise >"$WORK/$1"
  [ -z "${UPDATE_GOLDEN:-}" ] || cp "$WORK/$1" "$GOLDEN/$1"
  diff -u "$GOLDEN/$1" "$WORK/$1"
}

# tell COMMAND...: the line, what it prints on either stream, its status.
tell() {
  local result=0
  echo "\$ tare $*"
  rt "$@" 2>&1 </dev/null || result=$?
  echo "= $result"
}

@test "a life: state and list of a container that is created, running, paused, stopped" {
  only_tare
  make_bundle sleep 1000
  config '.annotations = {"org.example.key": "a \"value\" / ü"}'
  {
    rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
    tell state "$ID"
    tell start "$ID"
    tell list
    tell pause "$ID"
    tell list --format json
    tell list --quiet
    tell resume "$ID"
    tell ps --format json "$ID" | sed -E 's/\[[0-9]+\]/[PID]/'
    tell kill "$ID" KILL
    wait_until 30 has_status "$ID" stopped
    tell state "$ID"
    tell ps --format json "$ID"
    tell delete "$ID"
    tell list
  } | compare life.txt
}

@test "failures: the lines that people and managers read" {
  only_tare
  make_bundle sleep 1000
  {
    for verb in state start kill delete pause resume ps; do
      tell "$verb" "no-such"
    done
    tell delete --force no-such
    tell exec no-such true
    tell state ..
    tell state 'a/b'
    tell create --bundle "$WORK/no-such" "$ID"
    rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
    tell create --bundle "$BUNDLE" "$ID"
    rt start "$ID"
    tell start "$ID"
    tell resume "$ID"
    tell delete "$ID"
    tell exec "$ID" no-such-program
    tell exec "$ID" /no/such/program
    tell exec "$ID" /bin
    tell exec --cwd /no/such "$ID" true
    tell exec --user nobody "$ID" true
    tell pause "$ID"
    tell exec "$ID" true
    rt resume "$ID"
    rt kill "$ID" KILL
    wait_until 30 has_status "$ID" stopped
    tell start "$ID"
    tell kill "$ID" TERM
    tell pause "$ID"
    tell exec "$ID" true
    tell kill "$ID" NOSUCH
  } | compare failures.txt
}

# ---- the patterns --------------------------------------------------------------------------------

# says MANAGER PATTERN: the last line told has what the manager looks for; "(?i)" in front as in Go.
says() {
  local pattern=$2 flags=-qE
  [ "$pattern" = "${pattern#'(?i)'}" ] || flags=-qiE
  grep "$flags" -e "${pattern#'(?i)'}" <<<"$stderr" || fail_with "$1 does not find '$pattern'"
}

@test "patterns: an unknown container" {
  run_rt delete no-such
  says containerd 'does not exist'
  run_rt kill no-such 9
  says containerd 'does not exist'
  run_rt state no-such
  says podman 'does not exist'
  says CRI-O 'does not exist'
}

@test "patterns: a container that has stopped" {
  make_bundle true
  rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
  rt start "$ID"
  wait_until 30 has_status "$ID" stopped
  run_rt kill "$ID" 15
  [ "$status" -ne 0 ]
  says containerd 'os: process already finished|container not running'
  says podman 'container not running|open pidfd: No such process|kill container: No such process'
  says CRI-O 'no such process|container not running|invalid process'
  only_tare
  says 'containerd (as text of ESRCH)' '(?i)no such process'
}

# podman_status: what Podman makes of the message in the log, by its regular expressions in order.
podman_status() {
  if grep -qiE 'permission denied|operation not permitted' <<<"$1"; then
    echo 126
  elif grep -qiE 'executable file not found in|no such file or directory|open executable' <<<"$1"; then
    echo 127
  else
    echo 125
  fi
}

# docker_status: what dockerd makes of it; it minds the case.
docker_status() {
  if grep -qE 'executable file not found|no such file or directory|system cannot find the file' <<<"$1"; then
    echo 127
  elif grep -qE 'permission denied|is a directory|not a directory' <<<"$1"; then
    echo 126
  else
    echo 125
  fi
}

# refused FILTER WORDS PODMAN DOCKER [EXTRA OPTION...]: create as a shim calls it, with one thing
# wrong: one JSON record with the words, which the two take for these statuses; nothing is left.
refused() {
  local filter=$1 words=$2 podman=$3 docker=$4 message
  cp "$BUNDLE/config.json" "$BUNDLE/good.json"
  config "$filter"
  rm -f "$BUNDLE/log.json"
  ! rt --log "$BUNDLE/log.json" --log-format json create --bundle "$BUNDLE" \
    --pid-file "$BUNDLE/pid" "$ID" </dev/null >"$BUNDLE/out" 2>&1 || fail_with "$filter: created"
  mv "$BUNDLE/good.json" "$BUNDLE/config.json"
  message=$(jq -rs 'map(select(.level == "error")) | last | .msg' "$BUNDLE/log.json")
  [[ $message == *"$words"* ]] || fail_with "$filter: the message '$message' lacks '$words'"
  [ "$(podman_status "$message")" = "$podman" ] || fail_with "$filter: Podman: $message"
  [ "$(docker_status "$message")" = "$docker" ] || fail_with "$filter: Docker: $message"
  ! is_tare || assert_one_record "$BUNDLE/log.json" "$words"
  assert_nothing_left
}

@test "patterns: what a create refuses, and the status that a manager makes of it" {
  make_bundle true
  mkdir -p "$WORK/rootfs/etc"
  echo text >"$BUNDLE/rootfs/bin/text"
  refused '.process.args = ["no-such"]' 'executable file' 127 127
  refused '.process.args = ["/no/such"]' 'no such file or directory' 127 127
  refused '.process.args = ["/bin/text"]' 'permission denied' 126 126
  refused '.process.args = ["/bin"]' '/bin' 126 126
  only_tare
  # not the program: Docker, which minds the case, tells the two apart
  refused '.mounts += [{destination: "/x", type: "bind", source: "/no/such/source", options: ["bind"]}]' \
    '/no/such/source' 127 125
  refused '.process.cwd = "/bin/busybox"' '/bin/busybox' 125 125
  refused '.process.cwd = "relative"' 'process.cwd' 125 125
  refused '.process.user.uid = -1' 'process.user.uid' 125 125
  refused '.linux.resources.memory = {limit: "much"}' 'linux.resources.memory.limit' 125 125
  refused '.process.rlimits = [{type: "RLIMIT_X", soft: 1, hard: 1}]' 'process.rlimits[0]' 125 125
}

@test "patterns: a program for another machine is told as such by start" {
  only_tare
  make_bundle /bin/other
  # an ELF file of SuperH; nobody registers an interpreter for it
  printf '\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x2a\0\x01\0\0\0%080d' 0 >"$BUNDLE/rootfs/bin/other"
  chmod 755 "$BUNDLE/rootfs/bin/other"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -ne 0 ]
  [[ ${stderr,,} == *'exec format error'* && $stderr == */bin/other* ]]
  assert_nothing_left
  # Docker's engine deletes at once what did not start, and loses it if it has not stopped
  for _ in 1 2 3 4 5 6 7 8; do
    rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
    run_rt start "$ID"
    [ "$status" -ne 0 ]
    has_status "$ID" stopped
    rt delete "$ID"
  done
}

# ---- what is parsed ------------------------------------------------------------------------------

@test "parsers: --version as Docker's engine and go-runc read it" {
  local name="" version="" commit="" spec="" line
  while IFS= read -r line; do
    case $line in
      *version*) [ -n "$version" ] || { name=${line%%version*} version=${line##*version}; } ;;
      commit:*) commit=${line#commit: } ;;
      spec:*) spec=${line#spec: } ;;
    esac
  done < <("$RUNTIME" --version)
  [ "${name// /}" = "$(basename "$RUNTIME")" ]
  [[ ${version//[: ]/} =~ ^[0-9]+\.[0-9]+\.[0-9]+ ]]
  [ -n "$commit" ]
  ! is_tare || "$RUNTIME" --version | grep -qE '^libseccomp: [0-9]+\.[0-9]+\.[0-9]+$'
  [[ $spec =~ ^1\.[0-9]+\.[0-9]+$ ]] || ! is_tare && [[ $spec == 1.* ]]
}

@test "parsers: state and list into the types that go-runc and CRI-O have" {
  make_bundle sleep 1000
  rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
  # shellcheck disable=SC2016
  local types='(.id | type == "string") and (.pid | type == "number" and . > 1)
    and (.status | IN("created", "running", "paused", "stopped"))
    and (.bundle | startswith("/")) and (.rootfs | startswith("/"))
    and (.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$"))
    and ((.annotations // {}) | all(.[]; type == "string"))'
  rt state "$ID" | jq -e "(.ociVersion | type == \"string\") and $types"
  rt list --format json | jq -e "type == \"array\" and all(.[]; $types)"
  rt list --format=json | jq -e 'length == 1'
}

@test "probes: what is not there fails, what is there succeeds" {
  "$RUNTIME" features >/dev/null
  "$RUNTIME" exec --help >/dev/null
  run_rt create --bundle
  says 'podman, of an option' 'flag needs an argument|requires an argument'
  only_tare
  run_rt checkpoint --help
  [ "$status" -ne 0 ]
}

# ---- features ------------------------------------------------------------------------------------

@test "features: every member of features.md has an answer, and each yes is kept" {
  only_tare
  local features
  features=$("$RUNTIME" features)
  jq -r '[paths | map(select(type == "string")) | join(".")] | unique | .[]' <<<"$features" |
    grep -vE '^annotations\.' | sort >"$WORK/members"
  sort "$GOLDEN/features.txt" | comm -23 - "$WORK/members" >"$WORK/missing"
  [ ! -s "$WORK/missing" ] || fail_with "features lacks $(tr '\n' ' ' <"$WORK/missing")"
  jq -e '.ociVersionMin == "1.0.0" and .ociVersionMax == "1.3.0"
    and ([.. | select(type == "array") | select(length != (unique | length))] == [])' <<<"$features"
  jq -e '.linux.capabilities | index("CAP_SYS_ADMIN") != null' <<<"$features"
}

# ---- the calls, as each manager writes them ------------------------------------------------------

# process FILE WORD...: a process object for exec.
process() {
  local file=$1 words
  shift
  words=$(for word; do jq -n --arg w "$word" '$w'; done | jq -cs .)
  jq --argjson args "$words" '.process | .args = $args' "$BUNDLE/config.json" >"$file"
}

@test "calls: containerd's shim, by go-runc; nothing is in the log of what succeeds" {
  make_bundle sleep 1000
  local log=(--log "$BUNDLE/log.json" --log-format json)
  rt "${log[@]}" create --bundle "$BUNDLE" --pid-file "$BUNDLE/init.pid" --no-new-keyring "$ID" \
    </dev/null >"$BUNDLE/out" 2>&1
  [ "$(cat "$BUNDLE/init.pid")" = "$(pid_of "$ID")" ]
  rt "${log[@]}" start "$ID"
  process "$BUNDLE/process.json" sleep 1000
  rt "${log[@]}" exec --process "$BUNDLE/process.json" --detach --pid-file "$BUNDLE/exec.pid" "$ID" \
    </dev/null >"$BUNDLE/out" 2>&1
  kill -0 "$(cat "$BUNDLE/exec.pid")"
  [ "$(rt "${log[@]}" ps --format json "$ID" | jq length)" -ge 2 ]
  rt "${log[@]}" events --stats "$ID" | jq -e '.type == "stats"'
  rt "${log[@]}" pause "$ID"
  rt "${log[@]}" resume "$ID"
  rt "${log[@]}" state "$ID" | jq -e '.status == "running"'
  rt "${log[@]}" list --format=json | jq -e 'length == 1'
  echo '{}' | rt "${log[@]}" update --resources - "$ID"
  rt "${log[@]}" kill --all "$ID" 9
  wait_until 30 has_status "$ID" stopped
  rt "${log[@]}" delete "$ID"
  rt "${log[@]}" delete --force "$ID"
  ! is_tare || [ ! -s "$BUNDLE/log.json" ] || fail_with "$(cat "$BUNDLE/log.json")"
  [ ! -s "$BUNDLE/out" ]
}

@test "calls: conmon and Podman" {
  make_bundle sleep 1000
  echo '{}' >"$BUNDLE/resources"
  rt --log-format=json --log="$BUNDLE/oci-log" create --bundle "$BUNDLE" \
    --pid-file "$BUNDLE/pidfile" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  rt start "$ID"
  process "$BUNDLE/process.json" true
  rt exec --pid-file "$BUNDLE/exec.pid" --process "$BUNDLE/process.json" --detach "$ID" \
    </dev/null >"$BUNDLE/out" 2>&1
  rt update --resources="$BUNDLE/resources" "$ID"
  rt kill --all "$ID" 9
  wait_until 30 has_status "$ID" stopped
  rt delete --force "$ID"
  is_tare || return 0 # of the others, only crun
  rt --cgroup-manager disabled create --bundle "$BUNDLE" --pid-file "$BUNDLE/pidfile" "$ID" \
    </dev/null >"$BUNDLE/out" 2>&1
  [ -z "$(cgroups_of "$ID")" ]
  rt --cgroup-manager disabled delete --force "$ID"
}

@test "calls: CRI-O, buildkit" {
  make_bundle sleep 1000
  rt create --bundle "$BUNDLE" --pid-file "$BUNDLE/pidfile" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  rt start "$ID"
  process "$BUNDLE/process.json" sh -c 'echo in; exit 6'
  run_rt exec --process "$BUNDLE/process.json" "$ID"
  [ "$status" -eq 6 ]
  assert_output in
  echo '{}' | rt update --resources - "$ID"
  rt kill -a "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  rt delete --force "$ID"
  config '.process.args = ["sh", "-c", "echo step; exit 7"]'
  run_rt run --bundle "$BUNDLE" --keep --no-new-keyring "$ID"
  [ "$status" -eq 7 ]
  assert_output step
  has_status "$ID" stopped
  rt delete "$ID"
}

@test "calls: forms that Go's flag package takes" {
  make_bundle sleep 1000
  rt -log "$BUNDLE/log" -log-format=json --debug=false --systemd-cgroup=false --rootless=auto \
    create -bundle "$BUNDLE" -no-new-keyring=false --preserve-fds=0 "$ID" </dev/null >"$BUNDLE/out" 2>&1
  rt start "$ID"
  run_rt exec --tty=false --no-new-privs=false --env A=1 --env=B=2 -env C=3 --cwd=/bin "$ID" \
    sh -c 'echo $A$B$C; pwd; echo "$@"' - -l --cwd /etc
  assert_output $'123\n/bin\n-l --cwd /etc'
  [ "$(rt list -q -f json)" = "$ID" ]
  if is_tare; then
    rt kill "$ID" -a sigkill
  else
    rt kill -a "$ID" sigkill
  fi
  wait_until 30 has_status "$ID" stopped
  rt delete "$ID" -force
  is_tare || return 0
  # what go-runc passes to restore is known to every command that makes a container
  rt create -no-subreaper --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1
}

# one_record WORDS ARGUMENT...: the command fails, and its log is one record with the words.
one_record() {
  local words=$1
  shift
  rm -f "$BUNDLE/log.json"
  ! rt --log "$BUNDLE/log.json" --log-format json "$@" </dev/null >"$BUNDLE/out" 2>&1 || fail_with "$*: no failure"
  assert_one_record "$BUNDLE/log.json" "$words"
}

@test "log: one JSON object for one failed operation, of every command" {
  only_tare
  local verb
  make_bundle sleep 1000
  for verb in state start kill delete pause resume ps events; do
    one_record 'does not exist' "$verb" no-such
  done
  one_record 'does not exist' exec no-such true
  one_record 'does not exist' update --pids-limit 5 no-such
  one_record "$WORK/no-such" create --bundle "$WORK/no-such" "$ID"
  one_record "$WORK/no-such" run --bundle "$WORK/no-such" "$ID"
  one_record 'config.json' spec --bundle "$BUNDLE"
  one_record 'unexpected argument' features x
  one_record 'is missing' create
  # a warning that goes before it is none of the log's: Podman reads one object
  config '.process.capabilities.permitted += ["CAP_SYS_RESOURCE", "CAP_OF_NOTHING"]
    | .process.capabilities.bounding += ["CAP_SYS_RESOURCE"] | .process.args = ["no-such-program"]'
  one_record 'executable file' create --bundle "$BUNDLE" "$ID"
  grep -q warning "$BUNDLE/out"
  config '.process.args = ["sleep", "1000"]
    | .hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "echo one; echo two >&2; exit 3"]}]'
  one_record 'hooks.createRuntime[0]' create --bundle "$BUNDLE" "$ID"
  config 'del(.hooks)'
  rt create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  one_record 'already exists' create --bundle "$BUNDLE" "$ID"
  one_record 'not paused' resume "$ID"
  rt start "$ID"
  one_record 'already running' start "$ID"
  one_record 'executable file' exec "$ID" no-such-program
  one_record 'unknown signal' kill "$ID" NOSUCH
  one_record 'not stopped: running' delete "$ID"
  echo '{"memory": 5}' >"$BUNDLE/resources"
  one_record 'memory' update --resources "$BUNDLE/resources" "$ID"
  rt kill "$ID" KILL
  wait_until 30 has_status "$ID" stopped
  one_record 'container not running' kill "$ID" TERM
  one_record 'stopped' start "$ID"
}
