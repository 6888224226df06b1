#!/usr/bin/env bats
# The command line itself: help, versions, the forms of options, logs, the texts of spec and
# features. No container is made here.

load helpers

setup_file() {
  file_begin
  mkdir -m 700 "$ROOT"
}
setup() {
  test_begin
  mkdir -p "$BUNDLE"
}

commands=(create delete features kill list ps run spec start state)

@test "--version: a first line NAME version X.Y.Z, commit and spec" {
  run --separate-stderr "$RUNTIME" --version
  assert_success
  [[ ${lines[0]} =~ ^[a-z]+\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]]
  [[ $output == *$'\ncommit: '* ]]
  [[ $output == *$'\nspec: 1.'* ]]
  [ -z "$stderr" ]
}

@test "--version works with a root that cannot be" {
  run --separate-stderr "$RUNTIME" --root /proc/version/x --version
  assert_success
}

@test "-v is --version" {
  [ "$("$RUNTIME" -v)" = "$("$RUNTIME" --version)" ]
}

@test "--help names every command, on stdout" {
  run --separate-stderr "$RUNTIME" --help
  assert_success
  [ -z "$stderr" ]
  local command
  for command in "${commands[@]}"; do
    [[ $output =~ [[:space:]]${command}[[:space:]] ]] || fail_with "$command is missing"
  done
}

@test "COMMAND --help, anywhere, needs no id and exits 0" {
  local command
  for command in "${commands[@]}"; do
    run --separate-stderr "$RUNTIME" --root "$WORK/unused" "$command" --help
    assert_success
    [[ $output == *"$command"* ]] || fail_with "$command --help"
  done
}

@test "help COMMAND is COMMAND --help" {
  only_tare
  [ "$("$RUNTIME" help kill)" = "$("$RUNTIME" kill --help)" ]
  [ "$("$RUNTIME" help)" = "$("$RUNTIME" --help)" ]
}

@test "no command" {
  only_tare
  run_rt
  assert_error 1 "no command given"
}

@test "an unknown command, with the nearest name" {
  only_tare
  run_rt creat x
  assert_error 1 "unknown command 'creat'; did you mean 'create'?"
  run_rt frobnicate
  assert_error 1 "unknown command 'frobnicate'"
}

@test "what is known and not built is refused in one line, with --help too" {
  only_tare
  local command
  for command in checkpoint restore mounts; do
    run_rt "$command" --help
    assert_error 1 "command '$command' is not offered by this version: "
    run_rt "$command" --image-path /x --no-such-option ID
    assert_error 1 "command '$command' is not offered by this version: "
  done
  run_rt help --names
  [[ $output != *checkpoint* ]]
  run_rt chekpoint x
  assert_error 1 "unknown command 'chekpoint'; did you mean 'checkpoint'?"
}

@test "an unknown option, with the nearest name" {
  only_tare
  run_rt run --bundel x id
  assert_error 1 "unknown option '--bundel' of run; did you mean '--bundle'?"
  run --separate-stderr "$RUNTIME" --rot x list
  assert_error 1 "unknown option '--rot'; did you mean '--root'?"
}

@test "a missing argument of an option, in both wordings that managers look for" {
  run_rt run --bundle
  [ "$status" -ne 0 ]
  [[ $stderr$output == *"flag needs an argument"* ]]
  only_tare
  [[ $stderr == *"requires an argument"* ]]
  [ "${#stderr_lines[@]}" -eq 1 ]
}

@test "too few and too many arguments" {
  only_tare
  local command
  for command in create run start state kill delete ps; do
    run_rt "$command"
    assert_error 1 "$command: an argument is missing"
  done
  for command in create run start state delete update events; do
    run_rt "$command" a b
    assert_error 1 "$command: unexpected argument 'b'"
  done
  run_rt kill a 9 c
  assert_error 1 "kill: unexpected argument 'c'"
  run_rt list a
  assert_error 1 "list: unexpected argument 'a'"
}

@test "options: every form" {
  local form
  for form in "--bundle $BUNDLE" "--bundle=$BUNDLE" "-bundle $BUNDLE" "-bundle=$BUNDLE" "-b $BUNDLE"; do
    rm -f "$BUNDLE/config.json"
    # shellcheck disable=SC2086
    run_rt spec $form
    assert_success
    [ -s "$BUNDLE/config.json" ]
  done
}

@test "options: global ones that managers pass" {
  run_rt --log "$WORK/log" --log-format json --debug=false --rootless=false list
  assert_success
  run_rt --log="$WORK/log" --log-format=json --debug --rootless auto list
  assert_success
  only_tare
  run_rt --cgroup-manager disabled --log-level warning list
  assert_success
}

@test "options: the short ones that one of the others has" {
  only_tare
  run_rt -s=false -r "$ROOT" -l "$WORK/short" list --quiet
  assert_success
  run_rt list '-?'
  assert_success
  [[ ${lines[0]} == usage:* ]]
  [ "$("$RUNTIME" --usage)" = "$("$RUNTIME" --help)" ]
}

@test "options: values that are none" {
  run_rt --log-format xml list
  [ "$status" -ne 0 ]
  only_tare
  assert_error 1 "option '--log-format': 'xml' is not one of text, json"
  run_rt --log-level loud list
  assert_error 1 "option '--log-level': 'loud' is not one of"
  run_rt --cgroup-manager x list
  assert_error 1 "option '--cgroup-manager': 'x' is not one of cgroupfs, systemd, disabled"
  run_rt --debug=perhaps list
  assert_error 1 "option '--debug': 'perhaps' is neither true nor false"
  run_rt list --format yaml
  assert_error 1 "option '--format': 'yaml' is not one of table, json"
  run_rt create --preserve-fds -1 x
  assert_error 1 "is not a number from 0"
  run_rt kill x NOSUCH
  assert_error 1 "unknown signal 'NOSUCH'"
}

@test "--criu is accepted, with a warning" {
  only_tare
  run_rt --criu /usr/sbin/criu list
  assert_success
  [[ $stderr == "tare: warning: option '--criu' is accepted and ignored" ]]
}

# ---- manual pages and completions ----------------------------------------------------------------

@test "manual pages: every command and every option is in one, and roff is content" {
  only_tare
  local command option text
  for command in $("$RUNTIME" help --names) ''; do
    # shellcheck disable=SC2086
    text=$("$RUNTIME" help --man $command | groff -man -Tascii -P-cbou -ww 2>"$WORK/complaints")
    [ ! -s "$WORK/complaints" ] || fail_with "$command: $(cat "$WORK/complaints")"
    # shellcheck disable=SC2086
    for option in $("$RUNTIME" help $command | grep -oE -- '--[a-z-]+' | sort -u); do
      [[ $text == *"$option"* ]] || fail_with "$command: $option is not in the page"
    done
  done
  "$RUNTIME" help --man | grep -qF "tare $("$RUNTIME" --version | sed -n '1s/.* //p')"
}

# complete_bash WORD...: what bash offers for the last word.
complete_bash() {
  PATH=$(dirname "$RUNTIME"):$PATH bash --norc -c '
    source <("$0" completion bash)
    COMP_WORDS=(tare "$@") COMP_CWORD=$#
    _tare tare
    printf "%s\n" "${COMPREPLY[@]}"' "$RUNTIME" "$@"
}

@test "completion: bash" {
  only_tare
  run complete_bash sta
  assert_output $'start\nstate'
  run complete_bash --log-format json re
  assert_output resume
  run complete_bash --log-format = j
  assert_output json
  run complete_bash --root "$WORK" list --f
  assert_output --format
  run complete_bash list --format ''
  assert_output $'table\njson'
  run complete_bash completion f
  assert_output fish
  run complete_bash create --bundle "$WORK/b"
  assert_output "$BUNDLE"
  run complete_bash check
  assert_output ""
}

@test "completion: zsh and fish take theirs" {
  only_tare
  "$RUNTIME" completion zsh >"$WORK/_tare"
  zsh -n "$WORK/_tare"
  "$RUNTIME" completion fish >"$WORK/tare.fish"
  run fish --no-config -c 'source $argv[1]; complete -C "tare list --format "; complete -C "tare pau"' \
    "$WORK/tare.fish"
  assert_success
  [[ $output == *json* && $output == *table* && $output == *pause* ]]
  run_rt completion tcsh
  assert_error 1 "completion: 'tcsh' is not one of bash, zsh, fish"
}

# ---- logs ----------------------------------------------------------------------------------------

@test "log: an error is one JSON object in the file and one line on stderr" {
  run_rt --log "$WORK/log.json" --log-format json state no-such
  assert_error 1 "does not exist"
  assert_one_record "$WORK/log.json" "does not exist"
  only_tare
  [ "$stderr" = "tare: container \`no-such\` does not exist" ]
}

@test "log: records are appended" {
  rt --log "$WORK/two" --log-format json state no-such || true
  rt --log "$WORK/two" --log-format json state no-such || true
  [ "$(jq -s length "$WORK/two")" -eq 2 ]
}

@test "log: text" {
  only_tare
  run_rt --log "file:$WORK/log.text" state no-such
  assert_error 1 "does not exist"
  [[ $(cat "$WORK/log.text") =~ ^20[0-9-]+T[0-9:.]+Z\ error:\ container\ .no-such.\ does\ not\ exist$ ]]
}

@test "log: json without a file goes to stderr" {
  only_tare
  run_rt --log-format json state no-such
  assert_error 1 "does not exist"
  jq -e '.level == "error" and (.msg | contains("does not exist"))' <<<"$stderr"
}

@test "log: errors of the command line are in it as well" {
  run_rt --log "$WORK/usage" --log-format json create --nonsense x
  [ "$status" -ne 0 ]
  only_tare
  assert_error 1 "unknown option '--nonsense'"
  assert_one_record "$WORK/usage" "unknown option '--nonsense'"
  run_rt --log "$WORK/usage2" --log-format json frobnicate
  assert_one_record "$WORK/usage2" "unknown command 'frobnicate'"
}

@test "log: control characters are escaped, in text and in JSON" {
  only_tare
  local id=$'a\n\033[31mred\t"\\\x80\xc3\xa9'
  run_rt --log "$WORK/escaped" --log-format json state "$id"
  assert_error 1 'a\x0a\x1b[31mred\x09"\\x80'
  assert_one_record "$WORK/escaped" 'a\x0a\x1b[31mred\x09"\\x80é'
}

@test "log: where it cannot be written" {
  run_rt --log "$WORK/no/such/log" list
  [ "$status" -ne 0 ]
  only_tare
  assert_error 1 "log: open '$WORK/no/such/log': No such file or directory"
  run_rt --log carrier-pigeon:x list
  assert_error 1 "option '--log': 'carrier-pigeon:x' is not one of"
}

@test "log: a full disk costs the log, not the command" {
  run_rt --log /dev/full --log-format json state no-such
  assert_error 1 "does not exist"
}

# In a mount namespace of its own, with a socket where the journal or syslog has it.
datagrams() {
  local path=$1
  shift
  unshare -m bash -c '
    mount -t tmpfs tmpfs /run; mount --bind /dev /mnt; mount -t tmpfs -o mode=755 tmpfs /dev
    mkdir -p /run/systemd/journal; touch /dev/null /dev/full
    mount --bind /mnt/null /dev/null
    perl -MSocket -e "
      socket (S, AF_UNIX, SOCK_DGRAM, 0) && bind (S, sockaddr_un (\$ARGV[0])) || die;
      open (R, q(>), q(/run/ready)); close R;
      \$SIG{ALRM} = sub { exit 1 }; alarm 10; recv (S, \$text, 65536, 0); print \$text" "$0" &
    while [ ! -e /run/ready ]; do sleep 0.05; done
    "$@" 2>/dev/null
    wait' "$path" "$@"
}

@test "log: journald, in its own protocol" {
  only_tare
  run datagrams /run/systemd/journal/socket "$RUNTIME" --root "$ROOT" --log journald:pod7 state no-such
  [ "${lines[0]}" = "PRIORITY=3" ]
  [ "${lines[1]}" = "SYSLOG_IDENTIFIER=pod7" ]
  [ "${lines[2]}" = "MESSAGE=container \`no-such\` does not exist" ]
}

@test "log: syslog" {
  only_tare
  run datagrams /dev/log "$RUNTIME" --root "$ROOT" --log syslog:pod7 state no-such
  [[ $output =~ ^\<27\>pod7\[[0-9]+\]:\ container ]]
}

# ---- descriptors ---------------------------------------------------------------------------------

@test "standard output that is closed or full is an error, not silence" {
  run bash -c '"$1" features 2>&1 >&-' - "$RUNTIME"
  [ "$status" -ne 0 ] || is_tare && [ "$status" -eq 1 ]
  only_tare
  [[ $output == *"write to standard output: Bad file descriptor"* ]]
  run bash -c '"$1" features 2>&1 >/dev/full' - "$RUNTIME"
  [ "$status" -eq 1 ]
  [[ $output == *"write to standard output: No space left on device"* ]]
  run bash -c '{ sleep 0.2; "$1" --help 2>"$2"; echo $? >>"$2"; } | true; cat "$2"' - "$RUNTIME" "$WORK/pipe"
  [[ $output == *"write to standard output: Broken pipe"*1 ]]
}

@test "closed 0, 1 and 2 are no trouble" {
  run bash -c '"$1" --root "$2" list <&- >&- 2>&-' - "$RUNTIME" "$ROOT"
  only_tare
  [ "$status" -eq 1 ] # nowhere to print
  run bash -c '"$1" --root "$2" delete --force no-such <&- >&- 2>&-' - "$RUNTIME" "$ROOT"
  [ "$status" -eq 0 ]
  run bash -c '"$1" --root "$2" --log "$3" --log-format json state no-such <&- >&- 2>&-' - \
    "$RUNTIME" "$ROOT" "$WORK/closed"
  [ "$status" -eq 1 ]
  assert_one_record "$WORK/closed" "does not exist"
}

# ---- spec and features ---------------------------------------------------------------------------

@test "spec: what every default has" {
  run_rt spec --bundle "$BUNDLE"
  assert_success
  jq -e '.process.args == ["sh"] and .process.terminal and .process.cwd == "/"
         and .root == {path: "rootfs", readonly: true}
         and .process.noNewPrivileges
         and ([.process.rlimits[].type] == ["RLIMIT_NOFILE"])
         and ([.mounts[].destination] == ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue",
              "/sys", "/sys/fs/cgroup"])
         and (.linux.resources.devices == [{allow: false, access: "rwm"}])
         and (["pid", "network", "ipc", "uts", "mount"] - [.linux.namespaces[].type] == [])
         and (["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"] - .linux.maskedPaths == [])
         and ((.linux.readonlyPaths | sort) == ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
              "/proc/sysrq-trigger"])' "$BUNDLE/config.json"
}

@test "spec: nothing is overwritten" {
  echo precious >"$BUNDLE/config.json"
  run_rt spec --bundle "$BUNDLE"
  [ "$status" -ne 0 ]
  [ "$(cat "$BUNDLE/config.json")" = precious ]
  only_tare
  assert_error 1 "file 'config.json' exists"
}

@test "spec: no link is followed" {
  only_tare
  ln -s "$WORK/elsewhere" "$BUNDLE/config.json"
  run_rt spec --bundle "$BUNDLE"
  assert_error 1 "exists"
  [ ! -e "$WORK/elsewhere" ]
}

@test "spec: into the working directory" {
  cd "$BUNDLE"
  run_rt spec
  assert_success
  [ -s config.json ]
}

@test "spec: --file" {
  only_tare
  run_rt spec -b "$BUNDLE" --file other.json
  assert_success
  jq -e .ociVersion "$BUNDLE/other.json"
  [ ! -e "$BUNDLE/config.json" ]
}

@test "spec: --rootless" {
  run_rt spec --bundle "$BUNDLE" --rootless
  assert_success
  jq -e '([.linux.namespaces[].type] | contains(["user"]) and (contains(["network"]) | not))
         and (.linux.uidMappings | length == 1 and .[0].size == 1 and .[0].containerID == 0)
         and (.linux.gidMappings | length == 1)
         and (.linux.resources == null)
         and ([.mounts[] | select(.destination == "/sys")][0].options | contains(["rbind"]))
         and ([.mounts[].options // [] | .[] | select(startswith("gid="))] == [])' "$BUNDLE/config.json"
}

@test "spec: a bundle that is missing, a disk that is full" {
  only_tare
  run_rt spec --bundle "$WORK/missing"
  assert_error 1 "bundle '$WORK/missing': No such file or directory"
  run --separate-stderr unshare -m bash -c '
    mount -t tmpfs -o size=4k tmpfs "$2" && head -c 4096 /dev/zero >"$2/filler"
    "$1" spec --bundle "$2"; r=$?; ls "$2"; exit $r' - "$RUNTIME" "$BUNDLE"
  [ "$status" -eq 1 ]
  [ "$output" = filler ]
  [[ $stderr == *"write 'config.json': No space left on device"* ]]
}

@test "features: what is required is there, and what is not built is not" {
  run_rt features
  assert_success
  jq -e '.ociVersionMin == "1.0.0" and (.ociVersionMax | startswith("1."))
         and (.hooks | type == "array") and (.mountOptions | contains(["bind", "ro", "rro"]))
         and ((.linux.namespaces | sort) | contains(["cgroup", "ipc", "mount", "network", "pid", "user", "uts"]))
         and (.linux.capabilities | length >= 38)
         and (.linux.cgroup.v1 and .linux.cgroup.v2)' <<<"$output"
  only_tare
  jq -e '.ociVersionMax == "1.3.0" and (.linux.namespaces | contains(["time"]))
         and (.linux.capabilities | length == 41)
         and (.mountOptions == (.mountOptions | sort | unique))
         and (.linux.seccomp | .enabled == (.actions != null))
         and (.linux.seccomp.supportedFlags - .linux.seccomp.knownFlags == [])' <<<"$output"
}

# A manager can keep an image's away only if it is told of all of them.
@test "features: every annotation that is looked at" {
  only_tare
  run_rt features
  assert_success
  diff <(grep -rhoE '"run\.oci\.[a-z_.-]+"' "$TOP/src" | tr -d '"' | sort -u) \
    <(jq -r '.potentiallyUnsafeConfigAnnotations[] | select (startswith ("run.oci."))' <<<"$output" | sort) >&2
}

@test "list: an empty root, an unknown root" {
  run_rt list --format json
  assert_success
  [ "$(jq '. // [] | length' <<<"$output")" -eq 0 ]
  run_rt list -q
  assert_success
  assert_output ""
  run_rt list
  [[ ${lines[0]} =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]]
  only_tare
  run --separate-stderr "$RUNTIME" --root "$WORK/nowhere" list
  assert_error 1 "state root '$WORK/nowhere': No such file or directory"
}
