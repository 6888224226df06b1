#!/usr/bin/env bats
# docs/systemd.md: what it has a person type works, and shows what it says.
# guest: only

load helpers
# shellcheck source=/dev/null
. "$TOP/tests/lib/docs.bash"

setup_file () { file_begin; }
setup () { test_begin; }
teardown () { test_end; }
teardown_file () { file_end; }

@test "systemd.md" {
  mkdir -p "$BUNDLE/bin" "$BUNDLE/home"
  ln -s "$RUNTIME" "$BUNDLE/bin/tare"
  doc_script systemd.md "$RUNTIME" >"$BUNDLE/script"
  # shellcheck disable=SC2016
  run unshare --mount sh -ec 'mkdir -p /run/tare; mount -t tmpfs -o mode=700 tmpfs /run/tare
    cd "$1"; PATH=$2:$PATH; exec bash "$3"' - "$BUNDLE/home" "$BUNDLE/bin" "$BUNDLE/script" 3>&-
  cat "$BUNDLE/home/one.log" >&2
  assert_success
  assert_output 'TimeoutStopUSec=20s
Slice=demo.slice
MemoryMax=104857600
TasksMax=30
209715200
LoadState=not-found'
}
