#!/usr/bin/env bats
# The state of a container: what is printed, what is on disk, and what becomes of it when that is
# damaged, foreign, or speaks of another process.

load helpers

create() {
  rt create --bundle "$BUNDLE" "$@" "$ID" </dev/null >"$BUNDLE/out" 2>"$BUNDLE/err"
}

@test "state: the members, and their forms" {
  make_bundle sleep 100
  config '.annotations = {"org.example.a": "1", "org.example.b": "x\ny\"z"}'
  local before created
  before=$(date -u +%FT%T)
  create
  run_rt state "$ID"
  assert_success
  created=$(jq -r .created <<<"$output")
  [[ ! $created < $before && ! $(date -u +%FT%T.%NZ) < $created ]]
  jq -e --arg id "$ID" --arg bundle "$BUNDLE" '
    (.ociVersion | startswith("1.")) and .id == $id and .status == "created" and (.pid > 1)
    and .bundle == $bundle and .rootfs == ($bundle + "/rootfs")
    and (.created | test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]+Z$"))
    and .annotations["org.example.b"] == "x\ny\"z" and (.annotations | length >= 2)
    and has("owner")' <<<"$output"
  only_tare
  [ "$(command jq -r 'keys_unsorted | join(" ")' <<<"$output")" = \
    "ociVersion id pid status bundle rootfs created annotations owner" ]
  [ "$(jq -r .owner <<<"$output")" = root ]
  [ "$(jq -r .ociVersion <<<"$output")" = 1.3.0 ]
}

@test "state: the bundle's path is absolute, whatever was given" {
  make_bundle sleep 100
  cd "$WORK"
  rt create --bundle "./$(basename "$BUNDLE")/." "$ID" </dev/null >/dev/null 2>&1
  [ "$(rt state "$ID" | jq -r .bundle)" = "$BUNDLE" ]
}

@test "state: created, running, paused, running, stopped" {
  make_bundle sleep 100
  create
  [ "$(status_of "$ID")" = created ]
  rt start "$ID"
  [ "$(status_of "$ID")" = running ]
  local group
  group=$(find /sys/fs/cgroup/freezer -depth -type d -name "$ID" 2>/dev/null | head -n 1)
  [ -n "$group" ] || skip "no v1 freezer here"
  echo FROZEN >"$group/freezer.state"
  [ "$(status_of "$ID")" = paused ]
  echo THAWED >"$group/freezer.state"
  wait_until 5 has_status "$ID" running
  kill -KILL "$(pid_of "$ID")"
  wait_until 5 has_status "$ID" stopped
  [ "$(pid_of "$ID")" = 0 ]
}

@test "delete --force of a frozen container, in bounded time" {
  make_bundle sleep 100
  create
  rt start "$ID"
  local group
  group=$(find /sys/fs/cgroup/freezer -depth -type d -name "$ID" 2>/dev/null | head -n 1)
  [ -n "$group" ] || skip "no v1 freezer here"
  echo FROZEN >"$group/freezer.state"
  timeout 15 "$RUNTIME" --root "$ROOT" delete --force "$ID"
  assert_nothing_left
}

@test "the directory: ours alone; the record is JSON; the config is the bytes that were read" {
  only_tare
  make_bundle sleep 100
  create
  [ "$(stat -c %a "$ROOT")" = 700 ]
  [ "$(stat -c %a "$ROOT/$ID")" = 700 ]
  [ "$(stat -c %a "$ROOT/$ID/state.json")" = 600 ]
  jq -e .startTime "$ROOT/$ID/state.json"
  cmp "$BUNDLE/config.json" "$ROOT/$ID/config.json"
  [ -z "$(ls -A "$ROOT/$ID" | grep -vxE 'lock|state.json|config.json|start')" ]
}

@test "another process under the same pid is not the container: no signal to it" {
  only_tare
  make_bundle sleep 100
  create
  rt start "$ID"
  local pid
  pid=$(pid_of "$ID")
  sleep 100 3>&- &
  local stranger=$!
  jq --argjson pid $stranger '.pid = $pid' "$ROOT/$ID/state.json" >"$WORK/forged"
  cp "$WORK/forged" "$ROOT/$ID/state.json"
  [ "$(status_of "$ID")" = stopped ]
  run_rt kill "$ID" KILL
  assert_error 1 "container not running"
  rt delete --force "$ID"
  kill -0 $stranger
  kill $stranger
  wait_until 5 bash -c '! kill -0 "$1" 2>/dev/null' - "$pid" # it went with its group
  assert_nothing_left
}

# Every verb says so in one line; delete --force clears it away, with its groups where they are told.
damaged() {
  local words=$1 verb
  for verb in start state kill delete ps; do
    run_rt $verb "$ID"
    assert_error 1 "$words"
  done
  run_rt list -q
  assert_success
  [ -z "$output" ] || fail_with "it is listed"
  [[ $stderr == *"$words"* ]] || fail_with "list does not warn"
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "already exists"
  run_rt delete --force "$ID"
  assert_success
  [[ $stderr == *"tare: warning: "*"only its state directory is removed"* ]] || fail_with "no warning"
  [ "${#stderr_lines[@]}" -eq 1 ]
  [ ! -e "$ROOT/$ID" ]
}

@test "a damaged record: truncated, empty, garbage, of another id, missing" {
  only_tare
  make_bundle sleep 100
  local text
  for text in '' '{' 'garbage' '[]' '{"version": 1, "id": "other", "status": "created", "created": "", "owner": 0}'; do
    mkdir -p -m 700 "$ROOT" "$ROOT/$ID"
    touch "$ROOT/$ID/lock"
    printf '%s' "$text" >"$ROOT/$ID/state.json"
    chmod 600 "$ROOT/$ID/state.json"
    damaged "container \`$ID\`: state.json"
  done
  mkdir -m 700 "$ROOT/$ID"
  touch "$ROOT/$ID/lock" "$ROOT/$ID/config.json"
  damaged "container \`$ID\`: state.json: missing"
}

@test "a record that names directories which are no control groups" {
  only_tare
  make_bundle sleep 100
  mkdir "$WORK/precious"
  touch "$WORK/precious/file"
  local directory
  for directory in "$WORK/precious" / /sys/fs/cgroup /sys/fs/cgroup/pids /sys/fs/cgroup/pids/../../../../tmp; do
    mkdir -p -m 700 "$ROOT" "$ROOT/$ID"
    jq -n --arg id "$ID" --arg group "$directory" '{version: 1, id: $id, status: "stopped",
      created: "2026-01-01T00:00:00.000000000Z", owner: 0, cgroups: [$group]}' >"$ROOT/$ID/state.json"
    run_rt delete --force "$ID"
    [ ! -e "$ROOT/$ID" ] || fail_with "delete --force leaves it"
  done
  [ -e "$WORK/precious/file" ]
  [ -d /sys/fs/cgroup/pids ]
}

@test "a damaged record whose process can still be told: it is killed" {
  only_tare
  make_bundle sleep 100
  create
  rt start "$ID"
  local pid
  pid=$(pid_of "$ID")
  jq '.cgroups += ["/tmp"]' "$ROOT/$ID/state.json" >"$WORK/forged"
  cp "$WORK/forged" "$ROOT/$ID/state.json"
  run_rt delete --force "$ID"
  assert_success
  [ ! -e "$ROOT/$ID" ]
  wait_until 5 bash -c '! readlink "/proc/$1/exe" >/dev/null' - "$pid"
  cgroups_of "$ID" | xargs -r rmdir # not known any more: the price of a forged record
}

@test "a directory of another user, or open to others, is left alone" {
  only_tare
  make_bundle sleep 100
  mkdir -p -m 700 "$ROOT" "$ROOT/$ID"
  chown 12345 "$ROOT/$ID"
  local verb
  for verb in start state kill delete "delete --force" ps; do
    # shellcheck disable=SC2086
    run_rt $verb "$ID"
    assert_error 1 "belongs to user 12345"
  done
  [ -d "$ROOT/$ID" ]
  chown 0 "$ROOT/$ID"
  chmod 777 "$ROOT/$ID"
  run_rt delete --force "$ID"
  assert_error 1 "others may write"
  chmod 700 "$ROOT/$ID"
  rt delete --force "$ID"
  [ ! -e "$ROOT/$ID" ]
}

@test "a link in place of a directory is not followed" {
  only_tare
  mkdir -p -m 700 "$ROOT"
  mkdir "$WORK/target"
  touch "$WORK/target/file"
  ln -s "$WORK/target" "$ROOT/$ID"
  local verb
  for verb in start state kill delete "delete --force" ps; do
    # shellcheck disable=SC2086
    run_rt $verb "$ID"
    assert_error 1 "symbolic link"
  done
  [ -e "$WORK/target/file" ]
  rm "$ROOT/$ID"
}

@test "list: one that is damaged does not hide the others" {
  only_tare
  make_bundle sleep 100
  create
  mkdir -m 700 "$ROOT/damaged-$TAG"
  echo x >"$ROOT/damaged-$TAG/state.json"
  run_rt list -q
  assert_success
  assert_output "$ID"
  [[ $stderr == *"damaged-$TAG"* ]]
  run_rt --log "$WORK/log" --log-format json list -q
  assert_output "$ID"
  [ ! -s "$WORK/log" ]
  rt delete --force "damaged-$TAG"
}

@test "a creator that is killed leaves what delete can clear away" {
  only_tare
  make_bundle sleep 100
  local i
  for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    # not rt: a function in the background is a shell, and that would be what is killed
    "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
    sleep "0.00$i"
    kill -KILL $! 2>/dev/null || true
    wait $! 2>/dev/null || true
    rt delete --force "$ID" 2>/dev/null
    assert_nothing_left
    [ -z "$(ls -A "$ROOT" 2>/dev/null)" ]
  done
  wait_until 5 bash -c '[ -z "$(grep -ls "$1" /proc/[0-9]*/cgroup 2>/dev/null)" ]' - "$ID"
}

# U+0085 is two bytes of a config, and six where it is escaped: 11 MB become 33
@test "a record that could not be read again is not written" {
  only_tare
  make_bundle true
  config '.annotations = {long: ("\u0085" * 5600000)}'
  [ "$(stat -c %s "$BUNDLE/config.json")" -lt 20000000 ]
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "'state.json' would have"
  assert_nothing_left
}
