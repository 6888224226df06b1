#!/usr/bin/env bats
# Who the program is and what it may: what the specification says of ids, capabilities, limits and
# scores beyond the plain cases (container.bats), the bad ones above all.

load helpers
load inside

# refused FILTER TEXT: create fails with this one line
refused() {
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  config "$1"
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "$2"
  assert_nothing_left
}

# ---- capabilities --------------------------------------------------------------------------------

# config.md: a capability that cannot be mapped or granted is a warning, and the container goes on.
@test "T47: capabilities: unknown, misspelt, ungrantable ones warn, and the others are in force" {
  only_tare # the peers fail
  make_bundle cat /proc/self/status
  local set some='["CAP_KILL", "CAP_NOPE", "cap_chown", "CAP_KILL", "CAP_SYS_RESOURCE", "12", "KILL"]'
  config ".process.capabilities = {bounding: $some, effective: $some, permitted: $some}"
  run --separate-stderr capsh --drop=cap_sys_resource -- -c '"$0" "$@"' "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_success
  for set in CapBnd CapEff CapPrm; do
    [ "$(status_field $set <<<"$output")" = "$(capability_mask KILL)" ] || fail_with $set
  done
  [[ $stderr == *"tare: warning: process.capabilities.bounding: 'CAP_NOPE' is not a known capability, ignoring it"* ]]
  [[ $stderr == *"'cap_chown' is not a known capability"* ]]
  [[ $stderr == *"tare: warning: process.capabilities.effective: CAP_SYS_RESOURCE cannot be granted here, ignoring it"* ]]
}

# A manager's JSON file stays one record for a failed operation, and none for one that succeeds.
@test "warnings: to stderr where the log is JSON; into the file when they are asked for" {
  only_tare
  make_bundle true
  config '.process.capabilities.bounding += ["CAP_NOPE"]'
  run_rt --log "$WORK/log.json" --log-format json run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ ! -s "$WORK/log.json" ]
  [ "$stderr" = "tare: warning: process.capabilities.bounding: 'CAP_NOPE' is not a known capability, ignoring it" ]
  run_rt --log "$WORK/log.json" --log-format json --log-level warning run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ -z "$stderr" ]
  [ "$(jq -r '.level + " " + .msg' "$WORK/log.json")" = "warning process.capabilities.bounding: 'CAP_NOPE' is not a known capability, ignoring it" ]
  run_rt --log "$WORK/log.text" run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  grep -q " warning: process.capabilities.bounding: 'CAP_NOPE'" "$WORK/log.text"
  rm "$WORK/log.json"
  config '.process.args = ["nonesuch"]'
  EXPECT=127 run_rt --log "$WORK/log.json" --log-format json run --bundle "$BUNDLE" "$ID" </dev/null
  assert_one_record "$WORK/log.json" "executable file not found"
  [ "${#stderr_lines[@]}" -eq 2 ]
}

@test "capabilities: ambient ones only within permitted and inheritable; no inheritable unasked" {
  make_bundle cat /proc/self/status
  local all='["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"]'
  config ".process.user = {uid: 7, gid: 7} | .process.capabilities = {bounding: $all, permitted: $all, effective: $all,
          inheritable: [\"CAP_CHOWN\", \"CAP_KILL\"], ambient: [\"CAP_KILL\", \"CAP_NET_RAW\"]}"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [ "$(status_field CapAmb <<<"$output")" = "$(capability_mask KILL)" ]
  [ "$(status_field CapEff <<<"$output")" = "$(capability_mask KILL)" ]
  [ "$(status_field CapInh <<<"$output")" = "$(capability_mask CHOWN KILL)" ]
  [ "$(status_field CapBnd <<<"$output")" = "$(capability_mask CHOWN KILL NET_RAW)" ]
}

@test "T42: capabilities: a file's inheritable set gives an exec nothing; securebits are 0" {
  command -v setcap >/dev/null || skip "setcap is not installed"
  make_bundle sleep 1000
  cp "$(command -v capsh)" "$BUNDLE/rootfs/bin/" 2>/dev/null || skip "capsh is not installed"
  rm "$BUNDLE/rootfs/bin/cat"
  cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/bin/cat"
  setcap cap_net_raw+ei "$BUNDLE/rootfs/bin/cat" || skip "no file capabilities on this file system"
  config '.process.noNewPrivileges = false | .process.user = {uid: 7, gid: 7}'
  create
  rt start "$ID"
  cp "$(tool call)" "$BUNDLE/rootfs/bin/call"
  run_rt exec "$ID" call native 157,27 # prctl (PR_GET_SECUREBITS)
  [ "$(uname -m)" != x86_64 ] || assert_output "157 0"
  run_rt exec --cap CAP_NET_RAW "$ID" cat /proc/self/status
  assert_success
  local set
  for set in CapInh CapAmb CapEff CapPrm; do
    [ "$(status_field $set <<<"$output")" = 0000000000000000 ] || fail_with $set
  done
}

# ---- labels ----------------------------------------------------------------------------------------

@test "T46: a label where the kernel has no such module: no container" {
  only_tare
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  refused '.process.apparmorProfile = "tare-no-such-profile"' process.apparmorProfile
  refused '.process.selinuxLabel = "no:such:label:s0"' process.selinuxLabel
  # what asks for nothing can be had anywhere: the control
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  config '.process.apparmorProfile = "unconfined"'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
}

# ---- ids -----------------------------------------------------------------------------------------

@test "T43: ids: numbers from 0 to 4294967294, and nothing else" {
  only_tare
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  local value
  for value in 4294967295 4294967296 -1 1.5 '"0"' 1e3; do
    [ "$value" = 1e3 ] || refused ".process.user.uid = $value" process.user
    [ "$value" = 1e3 ] || refused ".process.user.gid = $value" process.user
    [ "$value" = 1e3 ] || refused ".process.user.additionalGids = [5, $value]" process.user
    sed 's/"uid": 0/"uid": '"$value/" "$BUNDLE/base.json" >"$BUNDLE/config.json" # as it stands
    run_rt create --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 process.user.uid
  done
  refused '.process.user.umask = 512' 'process.user.umask: 512 is not 0 to 511 (0777)'
}

@test "umask: the caller's where the config has none" {
  only_tare # the others: 0022, whatever the caller has
  make_bundle sh -c umask
  local mask
  for mask in 0027 0000 0077; do
    run bash -c 'umask '$mask'; exec "$@"' - "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&- </dev/null
    assert_output $mask
  done
  config '.process.user.umask = 0'
  run bash -c 'umask 027; exec "$@"' - "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&- </dev/null
  assert_output 0000
}

@test "T40: passwd: only for HOME, by number; what is no file is not read" {
  only_tare
  make_bundle sh -c 'set -- $(grep ^[UG]id: /proc/self/status); echo "$2:$7 $HOME"' # id would read passwd itself
  mkdir -p "$BUNDLE/rootfs/etc"
  config '.process.user = {uid: 1000, gid: 1000}'
  printf '1000:x:0:0::/zero:\nme:x:1000:0::/me:\n' >"$BUNDLE/rootfs/etc/passwd"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output "1000:1000 /me"
  rm "$BUNDLE/rootfs/etc/passwd"
  mkfifo "$BUNDLE/rootfs/etc/passwd"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output "1000:1000 /"
  rm "$BUNDLE/rootfs/etc/passwd"
  ln -s /proc/self/environ "$BUNDLE/rootfs/etc/passwd"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output "1000:1000 /"
  ln -sfn /etc/elsewhere "$BUNDLE/rootfs/etc/passwd" # a link in the image stays in the image
  printf 'me:x:1000:0::/there:\n' >"$BUNDLE/rootfs/etc/elsewhere"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output "1000:1000 /there"
}

# ---- oom_score_adj -------------------------------------------------------------------------------

@test "oomScoreAdj: the caller's own value needs no right; a lower one does, and says so" {
  local own
  own=$(cat /proc/self/oom_score_adj)
  make_bundle cat /proc/self/oom_score_adj
  config '.process.oomScoreAdj = $own' --argjson own "$own"
  run --separate-stderr capsh --drop=cap_sys_resource -- -c '"$0" "$@"' "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_output "$own"
  only_tare
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  refused '.process.oomScoreAdj = 1001' 'process.oomScoreAdj: 1001 is not -1000 to 1000'
  config '.process.oomScoreAdj = -1000'
  [ "$own" -gt -1000 ] || skip "the caller has the lowest value there is"
  run --separate-stderr capsh --drop=cap_sys_resource -- -c '"$0" "$@"' "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_error 1 "process.oomScoreAdj: -1000, from $own (to lower it needs CAP_SYS_RESOURCE): Permission denied"
  assert_nothing_left
}

# ---- resource limits -----------------------------------------------------------------------------

@test "rlimits: every one there is; unlimited is 2^64-1" {
  make_bundle cat /proc/self/limits
  local name limits=
  for name in AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING STACK; do
    limits+="{\"type\": \"RLIMIT_$name\", \"soft\": SOFT, \"hard\": HARD},"
  done
  # each within what we have; a hard one may not rise
  config '.process.rlimits = []'
  awk -v limits="${limits%,}" '{ sub (/"rlimits": \[\]/, "\"rlimits\": [" limits "]"); print }' "$BUNDLE/config.json" |
    sed 's/"RLIMIT_\(NICE\|RTPRIO\|MEMLOCK\|MSGQUEUE\|SIGPENDING\|NPROC\|NOFILE\|CORE\)", "soft": SOFT, "hard": HARD/"RLIMIT_\1", "soft": 0, "hard": 0/g
         s/"RLIMIT_NOFILE", "soft": 0, "hard": 0/"RLIMIT_NOFILE", "soft": 50, "hard": 60/
         s/SOFT/1073741824/g; s/HARD/18446744073709551615/g' >"$BUNDLE/config.new"
  mv "$BUNDLE/config.new" "$BUNDLE/config.json"
  run --separate-stderr prlimit --as=unlimited --cpu=unlimited --data=unlimited --fsize=unlimited --rss=unlimited \
    --stack=unlimited --rttime=unlimited --locks=unlimited \
    "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  [[ $stderr != *"prlimit:"* ]] || skip "the caller's own hard limits are not unlimited"
  assert_success
  limit() {
    awk -v name="$1" 'index ($0, name) == 1 { $0 = substr ($0, 27); print $1, $2 }' <<<"$output"
  }
  for name in "Max cpu time" "Max file size" "Max data size" "Max stack size" "Max resident set" "Max address space" \
    "Max file locks" "Max realtime timeout"; do
    [ "$(limit "$name")" = "1073741824 unlimited" ] || fail_with "$name"
  done
  for name in "Max core file size" "Max locked memory" "Max pending signals" "Max msgqueue size" "Max nice priority" \
    "Max realtime priority" "Max processes"; do
    [ "$(limit "$name")" = "0 0" ] || fail_with "$name"
  done
  [ "$(limit "Max open files")" = "50 60" ]
}

@test "rlimits: twice, unknown, soft above hard, one that may not rise" {
  only_tare
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  refused '.process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 1}, {type: "RLIMIT_CORE", soft: 1, hard: 1}]' \
    'process.rlimits[1].type: "RLIMIT_CORE" is there twice'
  refused '.process.rlimits = [{type: "RLIMIT_NOPE", soft: 1, hard: 1}]' 'process.rlimits[0].type: "RLIMIT_NOPE" is not a limit of Linux'
  refused '.process.rlimits = [{type: "RLIMIT_CORE", soft: 2, hard: 1}]' \
    'process.rlimits[0]: RLIMIT_CORE: the soft limit 2 is above the hard limit 1'
  refused '.process.rlimits = [{type: "RLIMIT_CORE", soft: -1, hard: 1}]' 'process.rlimits[0].soft'
  config '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 100}]'
  run --separate-stderr capsh --drop=cap_sys_resource -- -c 'ulimit -c 0; "$0" "$@"' "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_error 1 "process.rlimits[0]: raise RLIMIT_CORE to 100 (to raise a hard limit needs CAP_SYS_RESOURCE"
  assert_nothing_left
}
