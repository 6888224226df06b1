#!/usr/bin/env bats
# What depends on the host's kernel and on its systemd: so in the guest too.
# guest: yes

load helpers
load inside
load groups

# The options that the whole machine has, of cgroup v2's file system, wherever it is mounted.
options_of_v2() {
  mounts </proc/self/mountinfo | awk '$2 == "cgroup2" { print $6 }' | sort -u
}

@test "the host's cgroup2 keeps its options; without a namespace nothing is mounted anew" {
  local namespace before made
  make_bundle true
  before=$(options_of_v2)
  # here there may be none to lose; a systemd sets some
  [ -z "${TARE_GUEST:-}" ] || { has_option "$before" nsdelegate && has_option "$before" memory_recursiveprot; }
  for namespace in with without; do
    cgroup_config $namespace rw
    if [ -n "${TARE_GUEST:-}" ]; then
      run_rt run --bundle "$BUNDLE" "$ID" </dev/null # no strace there
      assert_success
    else
      traced -f -qq -e trace=fsopen,mount -o "$BUNDLE/trace" -- \
        "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
      made=$(grep -cE '"cgroup2?"' "$BUNDLE/trace" || true)
      if [ $namespace = with ]; then
        [ "$made" -gt 0 ] || fail_with "not seen"
      else
        [ "$made" -eq 0 ] || ! is_tare || fail_with "$made mounts"
      fi
    fi
    [ "$(options_of_v2)" = "$before" ]
  done
}

@test "what a createContainer hook binds into the root is seen inside, and nowhere else" {
  make_bundle cat /hooked/file
  mkdir -p "$BUNDLE/in" "$BUNDLE/rootfs/hooked"
  echo seen >"$BUNDLE/in/file"
  printf '#!/bin/sh\nexec mount --bind "%s" "%s"\n' "$BUNDLE/in" "$BUNDLE/rootfs/hooked" >"$BUNDLE/hook"
  chmod +x "$BUNDLE/hook"
  config '.hooks.createContainer = [{path: $hook}]' --arg hook "$BUNDLE/hook"
  local how
  for how in pivoted moved; do
    run_root $how
    assert_success
    assert_output seen
    [ ! -e "$BUNDLE/rootfs/hooked/file" ]
  done
}
