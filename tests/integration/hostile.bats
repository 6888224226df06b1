#!/usr/bin/env bats
# What an image, a volume or a running container must not get at.

load helpers
load inside

# ---- the session keyring -------------------------------------------------------------------------

# run with a secret in the caller's session keyring.
run_with_secret() {
  run --separate-stderr "$(tool keyring)" with "$RUNTIME" --root "$ROOT" "$@" </dev/null 3>&-
}

@test "a container does not find the caller's session keyring" {
  make_bundle keyring
  cp "$(tool keyring)" "$BUNDLE/rootfs/bin/keyring"
  run_with_secret run --bundle "$BUNDLE" "$ID"
  assert_success
  [[ $output == none:* ]]
  run_with_secret run --no-new-keyring --bundle "$BUNDLE" "$ID" # the control
  assert_success
  assert_output "found: secret"
}

@test "exec does not bring the caller's session keyring into the container" {
  make_bundle sleep 1000
  cp "$(tool keyring)" "$BUNDLE/rootfs/bin/keyring"
  rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1 3>&-
  run_with_secret exec "$ID" keyring
  assert_success
  [[ $output == none:* ]]
}

# ---- namespaces ----------------------------------------------------------------------------------

@test "sysctls and host name are refused in the host's own namespaces, by whatever path" {
  only_tare
  local before
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  before=$(uname -n)
  config '(.linux.namespaces[] | select(.type == "uts")).path = "/proc/self/ns/uts"
    | .hostname = $name' --arg name "$before" # the same, should it come to that
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "is the host's own uts namespace"
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/net"
    | .linux.sysctl = {"net.ipv4.ip_default_ttl": $ttl}' --arg ttl "$(cat /proc/sys/net/ipv4/ip_default_ttl)"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "is the host's own network namespace"
  config 'del(.linux.sysctl)' # joined, but not changed
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
}

# ---- mounts --------------------------------------------------------------------------------------

@test "nothing is mounted over the root once there are mounts in it, nor anything but a procfs on /proc" {
  only_tare
  make_bundle true
  ln -s / "$BUNDLE/rootfs/link"
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  local destination words
  while read -r destination words; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.mounts += [{"destination": $to, "type": "tmpfs", "source": "fake"}]' --arg to "$destination"
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_error 1 "$words"
  done <<'LIST'
/ would hide mounts[0] /proc
/. would hide mounts[0] /proc
/.. the root itself cannot be mounted over
/link the root itself cannot be mounted over
/proc 'fake' is not a procfs
LIST
}

# ---- seccomp -------------------------------------------------------------------------------------

# The filter is loaded early, without noNewPrivileges: what it forbids, init cannot do.
@test "a filter that hides the bounding set, or pretends to drop from it" {
  make_bundle grep CapBnd /proc/self/status
  config '.process.noNewPrivileges = false | .linux.seccomp = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": ["prctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": $errno,
      "args": [{"index": 0, "value": 23, "op": "SCMP_CMP_EQ"}]}]}' --argjson errno 1
  # read (23) or not, it is what was asked for, or there is no container
  run_rt run --bundle "$BUNDLE" "$ID"
  if is_tare; then
    assert_success
    [[ $output == *"$(capability_mask CAP_AUDIT_WRITE CAP_KILL CAP_NET_BIND_SERVICE)" ]]
    config '.linux.seccomp.syscalls[0] |= (.errnoRet = 0 | .args[0].value = 24)'
    run_rt run --bundle "$BUNDLE" "$ID"
    assert_error 1 "the bounding capabilities of the process are"
  else
    [ "$status" -ne 0 ] || [[ $output == *"$(capability_mask CAP_AUDIT_WRITE CAP_KILL CAP_NET_BIND_SERVICE)" ]]
  fi
}

# ---- programs ------------------------------------------------------------------------------------

@test "T34: args[0] does not lead through a descriptor of the runtime" {
  only_tare
  local fd
  make_bundle true
  for fd in {3..12}; do
    config '.process.args = [$program]' --arg program "/proc/self/fd/$fd/bin/true"
    EXPECT=127 run_rt run --bundle "$BUNDLE" "$ID"
    assert_error 127 "no such file or directory"
  done
}

# ---- what is in force ----------------------------------------------------------------------------

# A filter of system calls in which the runtime itself runs can make a call seem to succeed.
@test "a call of init that has no effect is found out: capabilities, ids, no_new_privs, signals" {
  only_tare
  make_bundle true
  config '.process.user = {uid: 1000, gid: 1000, additionalGids: [5]}'
  local call words
  while read -r call words; do
    run --separate-stderr traced -f -o /dev/null -e "trace=$call" -e "inject=$call:retval=0" \
      "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
    assert_error 1 "$words"
    assert_nothing_left
  done <<'END'
capset capabilities of the process
prctl process.capabilities: capset
setresuid the ids are not 1000:1000
setgroups the groups are not what was asked for
END
}

# with_fake NNP WHEN: the WHEN-th call of seccomp(2) seems to succeed, under a filter that there is
with_fake() {
  config '.process.noNewPrivileges = $nnp' --argjson nnp "$1"
  run --separate-stderr traced -f -o /dev/null -e trace=seccomp -e "inject=seccomp:retval=0$2" \
    "$(tool launch)" --filter "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
}

@test "a filter that is not loaded though the call succeeds is found out, early and late, in a filter of our own" {
  only_tare
  make_bundle grep '^Seccomp_filters:' /proc/self/status
  config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
  local nnp
  for nnp in true false; do
    with_fake $nnp :when=100 # never: the control
    assert_success
    [ "${output##*[[:blank:]]}" = 2 ] || fail_with "the outer filter and ours"
    with_fake $nnp ""
    assert_error 1 "seccomp(2) has no effect here"
    assert_nothing_left
  done
  with_fake false :when=2 # one that knows what we ask first
  assert_error 1 "the seccomp filter is not in force"
  assert_nothing_left
}
