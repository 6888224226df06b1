#!/usr/bin/env bats
# By hand: an image that umoci unpacks to a bundle, the runtime called as a person would, and what a
# container has changed packed again as a layer. As root, and as an ordinary user.

load helpers

setup_file() {
  file_begin umoci setpriv script
  box_start
  make_layout --config.user 1000:1000 --config.workingdir /tmp --config.env WORD=env \
    --config.cmd sh --config.cmd -c --config.cmd 'id -u; pwd; echo $WORD'
  chmod 755 "$WORK" # for the ordinary user
}

teardown_file() {
  file_end
}

setup() {
  ID=$TAG-$BATS_TEST_NUMBER
  BUNDLE=$WORK/bundle-$BATS_TEST_NUMBER
}

teardown() {
  show_trace
  rt delete --force "$ID" >&2 || true
  umocis_audit
}

umocis_audit() {
  audit 'nothing' /run/tare /run/runc
  [ -z "$(all_groups)" ] || { echo "left: groups: $(all_groups)" >&2; return 1; }
}

rt() {
  box "$RUNTIME" "$@"
}

# unpack [IMAGE]: to BUNDLE.
unpack() {
  umoci unpack --image "$WORK/layout:${1:-bb}" "$BUNDLE"
}

# config FILTER: of the bundle.
config() {
  jq "$1" "$BUNDLE/config.json" >"$BUNDLE/new"
  cat "$BUNDLE/new" >"$BUNDLE/config.json"
  rm "$BUNDLE/new"
}

# program COMMAND...: of the bundle, without a terminal, as root.
program() {
  local words
  words=$(for word; do jq -n --arg w "$word" '$w'; done | jq -cs .)
  config ".process.args = $words | .process.terminal = false | .process.user = {uid: 0, gid: 0}"
}

has_status() {
  [ "$(rt state "$ID" | jq -r .status)" = "$1" ]
}

@test "an image as umoci unpacks it: its user, directory, environment, command" {
  unpack
  config '.process.terminal = false'
  run rt run --bundle "$BUNDLE" "$ID"
  assert_run 0 $'1000\n/tmp\nenv'
}

@test "its terminal, as the image has it" {
  unpack
  config '.process.args = ["sh"]'
  run terminal '1:tty; id -u' '1:exit 3' -- "$RUNTIME" run --bundle "$BUNDLE" "$ID"
  assert_run 3
  assert_contains /dev/pts/0 1000
}

@test "step by step: create, state, start, exec, ps, pause, resume, kill, delete" {
  unpack
  program sleep 100
  rt create --bundle "$BUNDLE" --pid-file "$BUNDLE/pid" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  has_status created
  rt start "$ID"
  has_status running
  [ "$(rt state "$ID" | jq -r .pid)" = "$(cat "$BUNDLE/pid")" ]
  run rt exec --user 1000 --cwd /etc "$ID" sh -c 'id -u; pwd; exit 4'
  assert_run 4 $'1000\n/etc'
  run rt ps --format json "$ID"
  assert_run 0
  [ "$(jq 'length' <<<"$output")" -eq 1 ]
  run rt list --quiet
  assert_run 0 "$ID"
  rt pause "$ID"
  has_status paused
  rt resume "$ID"
  has_status running
  rt kill "$ID" KILL
  wait_until 10 has_status stopped
  rt delete "$ID"
  run rt state "$ID"
  [ "$status" -ne 0 ]
  assert_contains 'does not exist'
}

@test "what a container changed is a layer of a new image" {
  unpack
  program sh -c 'echo new >/new; chmod 640 /new; rm /etc/text; ln -s new /link'
  run rt run --bundle "$BUNDLE" "$ID"
  assert_run 0 ''
  umoci repack --image "$WORK/layout:changed" "$BUNDLE"
  [ "$(umoci stat --image "$WORK/layout:changed" --json | jq '.history | length')" -gt \
    "$(umoci stat --image "$WORK/layout:bb" --json | jq '.history | length')" ]
  rm -rf --one-file-system "$BUNDLE"
  unpack changed
  program sh -c 'cat /link; stat -c "%a %u" /new; ls /etc'
  run rt run --bundle "$BUNDLE" "$ID"
  assert_run 0 $'new\n640 0\ngroup\npasswd'
}

@test "a layer has what the image and the program made, and nothing that the runtime made" {
  unpack
  program true
  rt run --bundle "$BUNDLE" "$ID"
  # the file systems of a container are mounted on these, which the image lacks
  run find "$BUNDLE/rootfs" -newer "$BUNDLE/umoci.json" ! -path "$BUNDLE/rootfs/dev*" \
    ! -path "$BUNDLE/rootfs/proc" ! -path "$BUNDLE/rootfs/sys" ! -path "$BUNDLE/rootfs"
  assert_run 0 ''
}

@test "a program that is missing, not executable, or for another machine" {
  unpack
  program no-such-program
  run ! rt run --bundle "$BUNDLE" "$ID"
  ! is_tare || assert_run 127
  assert_contains no-such-program 'executable file not found in $PATH'
  program /etc/text
  run ! rt run --bundle "$BUNDLE" "$ID"
  ! is_tare || assert_run 126
  assert_contains /etc/text 'permission denied'
  make_foreign "$BUNDLE/rootfs/bin/other"
  program /bin/other
  run ! rt run --bundle "$BUNDLE" "$ID"
  assert_contains /bin/other
  [[ ${output,,} == *'exec format error'* ]]
}

@test "a directory, a user, a source of a mount that is none: the user is told" {
  unpack
  program true
  config '.process.cwd = "/etc/text"'
  run ! rt run --bundle "$BUNDLE" "$ID"
  assert_contains /etc/text
  [[ ${output,,} == *'not a directory'* ]]
  config '.process.cwd = "/"
    | .mounts += [{destination: "/x", type: "bind", source: "/no/such/source", options: ["bind"]}]'
  run ! rt run --bundle "$BUNDLE" "$ID"
  assert_contains /no/such/source
  [[ ${output,,} == *'no such file or directory'* ]]
  config 'del(.mounts[-1]) | .process.user.uid = -2'
  run ! rt run --bundle "$BUNDLE" "$ID"
  assert_contains uid -2
  ! is_tare || assert_contains process.user.uid 'not in the range'
  config '.process.user.uid = 0'
  rt run --bundle "$BUNDLE" "$ID" # all is as it was
  umoci config --image "$WORK/layout:bb" --tag nobody --config.user nobody-here
  run ! umoci unpack --image "$WORK/layout:nobody" "$BUNDLE-nobody" # it looks names up itself
  assert_contains nobody-here passwd
  config '.process.args = ["sleep", "100"]'
  rt create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  rt start "$ID"
  run ! rt exec --user nobody-here "$ID" true
  assert_contains nobody-here
  [[ ${output,,} == *uid* ]]
}

@test "a limit that is too low: the user is told" {
  has_controller memory
  unpack
  program true
  config '.linux.resources.memory = {limit: 1024}'
  run ! rt run --bundle "$BUNDLE" "$ID"
  assert_contains 'memory limit'
}

@test "without root: unpacked, run and packed again by an ordinary user" {
  local home=$WORK/home
  mkdir -p "$home/state"
  cp -r "$WORK/layout" "$home/layout"
  cp "$RUNTIME" "$home/runtime"
  chown -R 4321:4321 "$home"
  user() {
    box setpriv --reuid 4321 --regid 4321 --clear-groups --inh-caps=-all \
      env -i HOME="$home" PATH="$PATH" "$@"
  }
  user umoci unpack --rootless --image "$home/layout:bb" "$home/bundle"
  BUNDLE=$home/bundle
  program sh -c 'id -u; cat /proc/self/uid_map; echo mine >/etc/text; chmod 600 /etc/text'
  run user "$home/runtime" --root "$home/state" run --bundle "$BUNDLE" "$ID"
  assert_run 0
  assert_contains $'0\n' 4321
  user umoci repack --image "$home/layout:changed" "$BUNDLE"
  user umoci unpack --rootless --image "$home/layout:changed" "$home/second"
  [ "$(cat "$home/second/rootfs/etc/text")" = mine ]
  [ "$(stat -c '%a %u' "$home/second/rootfs/etc/text")" = '600 4321' ]
  rm -rf --one-file-system "$home"
}
