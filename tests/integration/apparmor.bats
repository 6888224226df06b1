#!/usr/bin/env bats
# process.apparmorProfile where there is AppArmor: in force for the program, and for every exec; what
# cannot be put in force makes no container.
# guest: only

load helpers
load inside

setup_file() {
  file_begin
  PROFILE=tare-$TAG
  export PROFILE
  cat >"$WORK/profile" <<PROFILE
profile $PROFILE flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  signal,
  ptrace,
  unix,
  deny /secret rw,
}
PROFILE
  apparmor_parser --replace --skip-cache "$WORK/profile"
}
teardown_file() {
  apparmor_parser --remove "$WORK/profile" || true
  file_end
}

# confined: a bundle that runs "$@" under the profile
confined() {
  make_bundle "$@"
  echo told >"$BUNDLE/rootfs/secret"
  config '.process.apparmorProfile = $name' --arg name "$PROFILE"
}

@test "the profile is the program's, with and without no_new_privs, as a user too" {
  confined sh -c 'cat /proc/self/attr/current; cat /secret || echo denied'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$output" = "$PROFILE (enforce)"$'\ndenied' ] || fail_with "with no_new_privs"
  config '.process.noNewPrivileges = false | .process.user = {uid: 1000, gid: 1000}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$output" = "$PROFILE (enforce)"$'\ndenied' ] || fail_with "without"
  config 'del (.process.apparmorProfile)' # the control
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$output" = $'unconfined\ntold' ] || fail_with "the control"
  config '.process.apparmorProfile = "unconfined"'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$output" = $'unconfined\ntold' ] || fail_with "unconfined"
}

@test "exec: the container's profile, or the one that is asked for" {
  confined sleep 1000
  create
  rt start "$ID"
  run_rt exec "$ID" sh -c 'cat /proc/self/attr/current; cat /secret || echo denied'
  [ "$output" = "$PROFILE (enforce)"$'\ndenied' ] || fail_with "the container's"
  run_rt exec --apparmor unconfined "$ID" cat /proc/self/attr/current
  assert_output unconfined
  run_rt exec --apparmor "$PROFILE-nonesuch" "$ID" true
  [ "$status" -ne 0 ]
  [[ $stderr == *"$PROFILE-nonesuch"* ]]
}

@test "T46: a profile that is not loaded: no container" {
  confined true
  config '.process.apparmorProfile += "-nonesuch"'
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -eq 1 ]
  [[ $stderr == *"$PROFILE-nonesuch"* ]]
  if is_tare; then
    # shellcheck disable=SC2016
    assert_error 1 'attr/apparmor/exec` (is such a profile loaded?)'
  fi
  assert_nothing_left
}

# T13, T16: what is written to must be the kernel's file for this very thread.
@test "a file of the image over the kernel's: the profile is in force all the same, or no container" {
  local over
  for over in /proc/self/attr /proc/self/attr/exec /proc/thread-self/attr/apparmor/exec /proc/self; do
    confined cat /proc/1/attr/current
    touch "$BUNDLE/rootfs/fake"
    config '.mounts += [{destination: $over, type: "bind", source: $fake, options: ["bind"]}]' --arg over "$over" --arg fake "$BUNDLE/rootfs/fake"
    run_rt run --bundle "$BUNDLE" "$ID" </dev/null
    [ "$status" -ne 0 ] || [ "$output" = "$PROFILE (enforce)" ] || fail_with "$over"
    [ ! -s "$BUNDLE/rootfs/fake" ]
    rt delete --force "$ID" 2>/dev/null || true
    rm -rf "$BUNDLE"
  done
}
