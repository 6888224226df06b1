#!/usr/bin/env bats
# Whose a container's control group is, where every controller has files in it: see delegation.bats,
# of which everything else is the same everywhere.
# guest: only

load helpers
load inside
load delegation

setup_file() {
  file_begin
  chmod 755 "$WORK"
}

@test "the user has the group and the files that the kernel lists, those of controllers too" {
  make_writable_bundle sleep 1000
  begin
  diff - <(given) < <(owned 100000 </sys/kernel/cgroup/delegate) >&2
  grep -q memory.oom.group < <(given)
  rt delete --force "$ID"
  assert_nothing_left
}
