#!/usr/bin/env bats
# docs/systemd.md: what it has a person type works, and shows what it says.
# guest: only

load helpers
# shellcheck source=/dev/null
. "$TOP/tests/lib/docs.bash"

@test "systemd.md" {
  # shellcheck disable=SC2016
  run run_page systemd.md unshare --mount sh -ec 'mkdir -p /run/tare; mount -t tmpfs -o mode=700 tmpfs /run/tare
    exec "$@"' -
  cat "$BUNDLE/home/one.log" >&2
  assert_success
  assert_output 'TimeoutStopUSec=20s
Slice=demo.slice
MemoryMax=104857600
TasksMax=30
209715200
LoadState=not-found'
}
