#!/usr/bin/env bats
# Whose a container's control group is: config-linux.md "Cgroup ownership". Who may make groups in
# it, which files are given away, and when none are.
# views: v2

load helpers
load inside
load groups
load delegation

setup_file() {
  file_begin
  chmod 755 "$WORK" # an id of a user namespace goes through it
}

needs_v2() {
  is_v2 || skip "control groups of version 1 are never given away: see the test of that"
}

@test "the user of the container has the group and the files that the kernel lists, and no others" {
  needs_v2
  make_writable_bundle sleep 1000
  begin
  diff - <(given) < <(owned 100000 </sys/kernel/cgroup/delegate) >&2
  [ "$(given | wc -l)" -ge 4 ]
  rt start "$ID"
  rt delete --force "$ID"
  assert_nothing_left
}

@test "an ordinary user of the container: the id that it has outside" {
  needs_v2
  make_writable_bundle sleep 1000
  config '.process.user = {uid: 1003, gid: 5}'
  begin
  diff - <(given) < <(owned 300003 </sys/kernel/cgroup/delegate) >&2
  rt delete --force "$ID"
}

@test "without the kernel's list: cgroup.procs, cgroup.subtree_control, cgroup.threads" {
  needs_v2
  make_writable_bundle sleep 1000
  rt() { # in mounts of its own, where the list is hidden
    # shellcheck disable=SC2016
    unshare --mount --propagation private sh -ec 'mount -t tmpfs none /sys/kernel/cgroup; exec "$@"' - \
      "$RUNTIME" --root "$ROOT" "$@" 3>&-
  }
  begin
  diff - <(given) < <(printf 'cgroup.%s\n' procs subtree_control threads | owned 100000) >&2
  rt delete --force "$ID"
}

@test "a joined user namespace: the id that it maps to; without one, the id itself" {
  needs_v2
  make_writable_bundle sleep 1000
  config '.process.user = {uid: 1004, gid: 5}'
  begin
  local first=$ID pid
  pid=$(pid_of "$ID")
  ID=$ID-second
  config 'del (.linux.uidMappings, .linux.gidMappings)
          | .linux.namespaces |= map (if .type == "user" then .path = "/proc/\($pid)/ns/user" else . end)' --arg pid "$pid"
  begin
  diff - <(given) < <(owned 300004 </sys/kernel/cgroup/delegate) >&2
  rt delete --force "$ID"
  config '.linux.namespaces |= map (select (.type != "user")) | .process.user = {uid: 1, gid: 1}'
  begin
  diff - <(given) < <(owned 1 </sys/kernel/cgroup/delegate) >&2
  rt delete --force "$ID"
  ID=$first
  rt delete --force "$ID"
  assert_nothing_left
}

@test "read-only, elsewhere, in the caller's or a joined cgroup namespace, in v1: nothing is given" {
  make_writable_bundle sleep 1000
  local good edit
  good=$(cat "$BUNDLE/config.json")
  while read -r edit; do
    is_v2 || edit=. # not even then
    jq "$edit" <<<"$good" >"$BUNDLE/config.json"
    begin
    [ -n "$(cgroups_of "$ID")" ]
    [ -z "$(given)" ] || fail_with "$edit: $(given)"
    rt delete --force "$ID"
    is_v2 || break
  done <<'ROWS'
(.mounts[] | select (.destination == "/sys/fs/cgroup") | .options) += ["ro"]
(.mounts[] | select (.destination == "/sys/fs/cgroup") | .options) |= ["ro", "rw"]
.mounts |= map (select (.destination != "/sys/fs/cgroup"))
(.mounts[] | select (.destination == "/sys/fs/cgroup") | .source) = "cgroup2"
(.mounts[] | select (.destination == "/sys/fs/cgroup") | .destination) = "/mnt"
.linux.namespaces |= map (select (.type != "cgroup"))
.linux.namespaces |= map (if .type == "cgroup" then .path = "/proc/self/ns/cgroup" else . end)
ROWS
  assert_nothing_left
}

@test "from inside: groups below can be made, limits stay what they were, nobody leaves" {
  needs_v2
  make_writable_bundle sh
  config '.process.args = ["sh", "-c", $script]' --arg script 'cd /sys/fs/cgroup && mkdir sub && echo 0 >sub/cgroup.procs && cat /proc/self/cgroup | grep ^0:
    (echo 5 >pids.max) 2>/dev/null && echo "a limit"; (echo 1 >cgroup.freeze) 2>/dev/null && echo "frozen"; (echo 1 >cgroup.kill) 2>/dev/null && echo "killed"; (echo 0 >../cgroup.procs) 2>/dev/null
    grep ^0: /proc/self/cgroup; touch /ready 2>/dev/null; sleep 1000'
  begin
  local group
  group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of "$ID")/cgroup")
  rt start "$ID"
  wait_until 10 eval '[ "$(wc -l <"$BUNDLE/out")" -ge 2 ]'
  [ "$(cat "$BUNDLE/out")" = $'0::/sub\n0::/sub' ] || fail_with "$(cat "$BUNDLE/out" "$BUNDLE/err")"
  [ "$(cat "$group/sub/cgroup.procs")" != "" ]
  # an exec goes where init is; what was made inside goes with the container
  run_rt exec "$ID" cat /proc/self/cgroup </dev/null
  assert_success
  rt delete --force "$ID"
  [ ! -e "$group" ]
  assert_nothing_left
}
