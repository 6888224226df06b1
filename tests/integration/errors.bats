#!/usr/bin/env bats
# Bad input: one clear line on stderr, one JSON object in the log, the exit status, nothing left.

load helpers

# 127 is tare's; the others end with 1.
expected() {
  if is_tare && [ "$1" -eq 127 ]; then echo 127; fi
}

# create and run of a bundle that cannot be: status, and words that must be in the message.
refused() {
  local wanted=$1 words=$2 verb
  for verb in create run; do
    rm -f "$WORK/log.json" "$WORK/pid"
    EXPECT=$(expected "$wanted") run_rt --log "$WORK/log.json" --log-format json \
      "$verb" --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID" </dev/null
    if is_tare; then
      assert_error "$wanted" "$words"
      assert_one_record "$WORK/log.json" "$words"
    else
      [ "$status" -ne 0 ] || fail_with "$verb succeeds"
    fi
    assert_nothing_left
    [ ! -e "$WORK/pid" ] || fail_with "a pid file was left"
    [ -z "$(processes_of "$BUNDLE")" ] || fail_with "a process was left"
  done
}

# ---- the bundle ----------------------------------------------------------------------------------

@test "a bundle that is missing" {
  refused 1 "No such file or directory"
}

@test "no config.json" {
  make_bundle true
  rm "$BUNDLE/config.json"
  refused 1 "'config.json': No such file or directory"
}

@test "config.json: not JSON" {
  make_bundle true
  local text
  for text in '' '{' '[]' 'null' '"x"' 'garbage' '{"ociVersion": "1.3.0"} x' $'\xef\xbb\xbf{}' '{"a": 01}' \
    '{"ociVersion": "1.3.0", "ociVersion": "1.3.0"}' '{"hostname": "\ud800"}' '{"hostname": "a\u0000b"}' \
    $'{"hostname": "\xff"}' '{"process": {"args": [null]}}' '{ /* comment */ }'; do
    printf '%s' "$text" >"$BUNDLE/config.json"
    if is_tare || [[ $text != *ociVersion*ociVersion* && $text != *hostname* && $text != *null\]* ]]; then
      refused 1 "config.json"
    fi
  done
}

@test "config.json: the wrong shape, told with its place" {
  only_tare
  make_bundle true
  local good
  good=$(cat "$BUNDLE/config.json")
  local filter
  while IFS='|' read -r filter words; do
    jq "$filter" <<<"$good" >"$BUNDLE/config.json"
    refused 1 "$words"
  done <<'ROWS'
del(.ociVersion)|config.json: ociVersion: required
.process.args = "sh"|config.json: process.args: expected
.process.user.uid = -1|config.json: process.user.uid
.process.user.uid = 4294967295|config.json: process.user.uid
.linux.namespaces[2].type = "netwrk"|config.json: linux.namespaces[2].type: "netwrk" is not one of pid, network
.mounts[0].destination = 7|config.json: mounts[0].destination
ROWS
}

@test "config.json: a directory, a FIFO" {
  make_bundle true
  rm "$BUNDLE/config.json"
  mkdir "$BUNDLE/config.json"
  refused 1 "config.json"
  only_tare # another runtime waits for a writer
  rmdir "$BUNDLE/config.json"
  mkfifo "$BUNDLE/config.json"
  refused 1 "config.json"
}

@test "a root that is missing, or a file" {
  make_bundle true
  rm -r "$BUNDLE/rootfs"
  refused 1 "root.path"
  echo x >"$BUNDLE/rootfs"
  refused 1 "root.path"
}

@test "what is not built is refused with a line that says so" {
  only_tare
  make_bundle true
  run_rt create --bundle "$BUNDLE" --console-socket "$WORK/socket" "$ID"
  [ "$status" -eq 1 ]
  [ "${#stderr_lines[@]}" -eq 1 ]
  assert_nothing_left
}

# ---- the program ---------------------------------------------------------------------------------

@test "a program that is not there: 127" {
  make_bundle no-such-program
  refused 127 "executable file"
  [[ $stderr =~ "executable file not found in \$PATH"|"no such file or directory"|"No such file or directory" ]]
  config '.process.args = ["/bin/no-such-program"]'
  refused 127 "/bin/no-such-program"
  [[ ${stderr,,} == *"no such file or directory"* ]]
}

@test "a program that cannot be executed: 126" {
  make_bundle /etc/plain
  mkdir -p "$BUNDLE/rootfs/etc"
  echo 'echo no' >"$BUNDLE/rootfs/etc/plain"
  refused 126 "/etc/plain"
  [[ ${stderr,,} == *"permission denied"* ]]
  config '.process.args = ["/etc"]'
  refused 126 "/etc"
  [[ ${stderr,,} =~ "permission denied"|"is a directory" ]]
}

@test "an interpreter that is not there: start tells it" {
  only_tare
  make_bundle /bin/script
  printf '#!/no/such/interpreter\n' >"$BUNDLE/rootfs/bin/script"
  chmod +x "$BUNDLE/rootfs/bin/script"
  rt create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  EXPECT=$(expected 127) run_rt start "$ID"
  assert_error 127 "/bin/script"
  [[ ${stderr,,} == *"no such file or directory"* ]]
}

@test "run of a program that cannot start deletes the container" {
  only_tare
  make_bundle /bin/script
  printf '#!/no/such/interpreter\n' >"$BUNDLE/rootfs/bin/script"
  chmod +x "$BUNDLE/rootfs/bin/script"
  EXPECT=$(expected 127) run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 127 "/bin/script"
  assert_nothing_left
  EXPECT=$(expected 127) run_rt run --detach --bundle "$BUNDLE" "$ID"
  [ "$status" -ne 0 ]
  assert_nothing_left
}

# ---- ids -----------------------------------------------------------------------------------------

@test "an id that is none, for every verb" {
  make_bundle true
  mkdir -p "$ROOT" "$WORK/precious"
  chmod 700 "$ROOT"
  touch "$WORK/precious/file"
  local verb id only # runc takes ".x"
  for verb in "create --bundle $BUNDLE" "run --bundle $BUNDLE" start state kill delete "delete --force" ps; do
    is_tare && only=(.x) || only=()
    for id in '' . .. a/b ../precious ../x $'a\nb' 'a b' 'a*' "${only[@]}" "$(printf 'x%.0s' {1..300})" 'é' 'a:b'; do
      # shellcheck disable=SC2086
      run_rt $verb "$id" </dev/null
      [ "$status" -ne 0 ] || fail_with "$verb '$id' succeeds"
      if is_tare; then
        [ "${#stderr_lines[@]}" -eq 1 ] || fail_with "$verb '$id'"
        [[ $stderr == *"invalid container ID format"* ]] || fail_with "$verb '$id'"
      fi
    done
    is_tare || continue # "-x" is an id for others
    # shellcheck disable=SC2086
    run_rt $verb -- -x </dev/null
    assert_error 1 "invalid container ID format"
  done
  [ -e "$WORK/precious/file" ]
  [ -z "$(ls -A "$ROOT")" ] || ! is_tare
  rm -rf "${ROOT:?}"/*
}

@test "an id that is unknown, for every verb" {
  local verb
  for verb in start state kill delete ps; do
    run_rt $verb "$ID"
    assert_error 1 "does not exist"
  done
  only_tare
  [ "$stderr" = "tare: container \`$ID\` does not exist" ]
}

@test "an id that is taken" {
  make_bundle sleep 100
  rt create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  local pid verb
  pid=$(pid_of "$ID")
  for verb in create run; do
    run_rt $verb --bundle "$BUNDLE" "$ID" </dev/null
    [ "$status" -eq 1 ]
    [[ $stderr == *"already exists"* ]]
    ! is_tare || assert_error 1 "container \`$ID\` already exists"
  done
  [ "$(pid_of "$ID")" = "$pid" ]
  [ "$(status_of "$ID")" = created ]
}

@test "the same id from eight sides: one winner" {
  make_bundle sleep 100
  local i children=() winners=0
  for i in 1 2 3 4 5 6 7 8; do
    rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$BUNDLE/err$i" &
    children+=($!)
  done
  for i in "${children[@]}"; do
    if wait "$i"; then winners=$((winners + 1)); fi
  done
  [ "$winners" -eq 1 ]
  [ "$(cat "$BUNDLE"/err? | grep -c 'already exists')" -eq 7 ] || ! is_tare
  [ "$(status_of "$ID")" = created ]
  rt delete --force "$ID"
  assert_nothing_left
}

# ---- the state root ------------------------------------------------------------------------------

@test "a state root that is not ours, a link, open to all, a file, or /" {
  only_tare
  make_bundle true
  mkdir -m 700 "$WORK/r0" "$WORK/foreign"
  ln -s r0 "$WORK/link"
  mkdir "$WORK/open"
  chmod 777 "$WORK/open"
  chown 12345 "$WORK/foreign"
  touch "$WORK/file"
  local root words
  while read -r root words; do
    for verb in "create --bundle $BUNDLE" "run --bundle $BUNDLE" start state kill delete "delete --force" ps; do
      # shellcheck disable=SC2086
      run --separate-stderr "$RUNTIME" --root "$root" $verb "$ID" </dev/null
      assert_error 1 "$words"
    done
    run --separate-stderr "$RUNTIME" --root "$root" list
    assert_error 1 "$words"
  done <<ROWS
$WORK/link symbolic link
$WORK/open others may write in it
$WORK/foreign belongs to user 12345
$WORK/file not a directory
/ must not be /
/../.. must not be /
ROWS
  [ -z "$(ls -A "$WORK/r0" "$WORK/open" "$WORK/foreign" | grep -v :)" ]
}

@test "the default root: by user and by user namespace" {
  only_tare
  chmod 755 "$WORK"
  cp "$RUNTIME" "$WORK/tare" # the user may have no way to the build tree
  run --separate-stderr env -u XDG_RUNTIME_DIR setpriv --reuid 4321 --clear-groups "$WORK/tare" list
  assert_error 1 "XDG_RUNTIME_DIR is not set"
  mkdir -p "$WORK/xdg"
  chown 4321 "$WORK/xdg"
  run --separate-stderr env XDG_RUNTIME_DIR="$WORK/xdg" setpriv --reuid 4321 --clear-groups strace -f -e trace=openat2 \
    "$WORK/tare" list
  [[ $stderr == *"\"$WORK/xdg/tare\""* ]]
  run --separate-stderr env XDG_RUNTIME_DIR="$WORK/xdg" unshare -Ur strace -f -e trace=openat2 "$RUNTIME" list
  [[ $stderr == *"\"$WORK/xdg/tare\""* ]]
  mkfifo "$WORK/mapped" # every id to itself, and yet not the host's
  XDG_RUNTIME_DIR=$WORK/xdg unshare -U sh -c 'read -r _ <"$1"; exec strace -f -e trace=openat2 -o "$2" "$3" list' \
    sh "$WORK/mapped" "$WORK/trace" "$RUNTIME" 3>&- &
  local mapped=$!
  wait_until 10 bash -c "echo 0 0 4294967295 2>/dev/null >/proc/$mapped/uid_map"
  echo >"$WORK/mapped"
  wait "$mapped" || :
  grep -q "\"$WORK/xdg/tare\"" "$WORK/trace"
  run --separate-stderr env XDG_RUNTIME_DIR="$WORK/xdg" strace -f -e trace=openat2 "$RUNTIME" list
  [[ $stderr == *'"/run/tare"'* ]]
}

@test "a full disk below the state root: a clean error, and delete works" {
  only_tare
  make_bundle sleep 100
  run unshare -m bash -c '
    runtime=$1 root=$2 bundle=$3 id=$4
    mkdir "$root"; mount -t tmpfs -o size=64k,mode=700 tmpfs "$root"
    head -c 1000000 /dev/zero >"$root/.filler" 2>/dev/null
    "$runtime" --root "$root" create --bundle "$bundle" "$id" </dev/null >/dev/null 2>"$bundle/error"; echo "create $?"
    ls "$root"
    rm "$root/.filler"
    "$runtime" --root "$root" create --bundle "$bundle" "$id" </dev/null >/dev/null 2>&1; echo "create $?"
    head -c 1000000 /dev/zero >"$root/.filler" 2>/dev/null
    "$runtime" --root "$root" delete "$id"; echo "delete $?"
    ls "$root"' - "$RUNTIME" "$WORK/small" "$BUNDLE" "$ID" 3>&-
  [ "$output" = $'create 1\ncreate 0\ndelete 0' ] || fail_with "$(cat "$BUNDLE/error")"
  [ "$(wc -l <"$BUNDLE/error")" -eq 1 ]
  grep -q "No space left on device" "$BUNDLE/error"
}

@test "a verb that is stopped holds others up, but not for ever" {
  only_tare
  make_bundle sleep 100
  rt create --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1
  flock "$ROOT/$ID/lock" sleep 30 3>&- &
  local holder=$!
  wait_until 5 bash -c '! flock -n "$1" true' - "$ROOT/$ID/lock"
  run_rt state "$ID"
  assert_success
  run timeout 20 "$RUNTIME" --root "$ROOT" delete --force "$ID"
  [ "$status" -eq 1 ]
  [[ $output == *"is busy"* ]]
  pkill -P $holder || true
  wait $holder || true
  rt delete --force "$ID"
  assert_nothing_left
}
