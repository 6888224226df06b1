#!/usr/bin/env bats
# tests/vm/run ends its machine however it is ended itself, and tells how the tests in it went. The
# machine here is a script.

load helpers

setup_file() {
  only_tare
  file_begin
}

setup() {
  test_begin
  local image
  image=$(sha256sum <"$TOP/tests/vm/image" | cut -c 1-16)
  mkdir -p "$BUNDLE/cache/$image" "$BUNDLE/bin" "$BUNDLE/tmp"
  touch "$BUNDLE/cache/$image/disk"
  # qemu, as far as run knows of it: it is there, and prints
  cat >"$BUNDLE/bin/qemu-system-x86_64" <<'SCRIPT'
#!/bin/bash
printf '%s\n' "$MACHINE_SAYS"
echo $$ >"$MACHINE.new" && mv "$MACHINE.new" "$MACHINE"
exec sleep "$MACHINE_SECONDS"
SCRIPT
  chmod +x "$BUNDLE/bin/qemu-system-x86_64"
  export MACHINE=$BUNDLE/pid MACHINE_SAYS=hello MACHINE_SECONDS=0
}
teardown() {
  [ ! -s "$MACHINE" ] || kill -KILL "$(cat "$MACHINE")" 2>/dev/null || true
  test_end
}

# as make calls it, and not deaf to SIGINT, as what a shell has in the background is
vm_run() {
  PATH=$BUNDLE/bin:$PATH TARE_VM_CACHE=$BUNDLE/cache TMPDIR=$BUNDLE/tmp \
    exec env --default-signal=INT "$TOP/tests/vm/run" "$TOP/tests/integration/guest.bats" 3>&-
}

machine_is_gone() {
  ! kill -0 "$(cat "$MACHINE")" 2>/dev/null
}

# ended_by SIGNAL STATUS
ended_by() {
  MACHINE_SECONDS=1000
  rm -f "$MACHINE"
  (vm_run) >"$BUNDLE/out" 2>&1 &
  local runner=$! status=0
  wait_until 20 test -s "$MACHINE"
  wait_until 20 grep -q hello "$BUNDLE/out"
  kill -s "$1" "$runner"
  wait "$runner" || status=$?
  [ "$status" -eq "$2" ]
  wait_until 20 machine_is_gone
}

@test "a signal ends it at once, its machine first, and nothing is left" {
  ended_by TERM 143
  [ -z "$(ls "$BUNDLE/tmp")" ]
  ended_by INT 130
  [ -z "$(ls "$BUNDLE/tmp")" ]
}

@test "the machine does not outlive it when it is killed" {
  ended_by KILL 137
}

@test "its status is that of the tests; without a summary, or with no end, they have failed" {
  MACHINE_SAYS='3 passed, 0 failed, 1 skipped'
  run vm_run
  assert_success
  assert_output "$MACHINE_SAYS"
  MACHINE_SAYS='3 passed, 1 failed'
  run vm_run
  [ "$status" -eq 1 ]
  MACHINE_SAYS='3 passed'
  run vm_run
  [ "$status" -eq 1 ]
  [[ $output == *$'\nnot ok - the guest: it ended without a summary\n0 passed, 1 failed' ]]
  export TARE_VM_TIMEOUT=1
  MACHINE_SECONDS=1000
  run vm_run
  [ "$status" -eq 1 ]
  [[ $output == *$'\nnot ok - the guest: not done after 1 s\n0 passed, 1 failed' ]]
}
