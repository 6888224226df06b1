#!/usr/bin/env bats
# A signal that asks for an end while run or exec is still making its process: what was made is taken
# back, and the program does not run. Afterwards signals are the program's (lifecycle.bats).
# views: v1 v2

load helpers
load inside

FAULTY=${top_builddir:-$TOP/build}/tests/tare-faults

setup_file() {
  is_tare || skip "only tare promises this"
  file_begin
}
teardown() {
  [ -z "${CALLER:-}" ] || kill -KILL "$CALLER" 2>/dev/null || true
  test_end
}

# What sleeps so long is a process of this very file.
nap() {
  echo "100.${TAG//[^0-9]/}"
}

no_nap() {
  ! pgrep -fx "sleep $(nap)" >/dev/null
}

# begin RUNTIME VERB...: in the background; its status comes to $BUNDLE/status
begin() {
  rm -f "$BUNDLE/status" "$BUNDLE/at-it" "$BUNDLE/caller"
  # shellcheck disable=SC2016
  bash -c 'status=$1 caller=$2; shift 2; "$@" & echo $! >"$caller"; wait $!; echo $? >"$status"' - \
    "$BUNDLE/status" "$BUNDLE/caller" "$1" --root "$ROOT" "${@:2}" </dev/null >"$BUNDLE/said" 2>"$BUNDLE/err" 3>&- &
  wait_until 30 [ -s "$BUNDLE/caller" ]
  CALLER=$(cat "$BUNDLE/caller")
}

# ends STATUS WORDS: it does, with one line
ends() {
  wait_until 30 [ -s "$BUNDLE/status" ]
  CALLER=
  [ "$(cat "$BUNDLE/status")" = "$1" ] || { echo "status $(cat "$BUNDLE/status"): $(cat "$BUNDLE/err")" >&2; return 1; }
  [ ! -s "$BUNDLE/said" ] || { echo "the program ran" >&2; return 1; }
  [ "$(wc -l <"$BUNDLE/err")" -eq 1 ] && grep -qF -- "$2" "$BUNDLE/err" || { cat "$BUNDLE/err" >&2; return 1; }
}

@test "run, by every signal: in a hook of the host, with its whole group; poststop has its turn" {
  local signal
  for signal in TERM INT HUP QUIT; do
    make_bundle echo ran
    config '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "touch $1/at-it; sleep $2 & sleep $2", "-", $b, $nap]}],
      poststop: [{path: "/bin/sh", args: ["sh", "-c", "sleep 0.2; touch $1/stopped", "-", $b]}]}' --arg b "$BUNDLE" --arg nap "$(nap)"
    begin "$RUNTIME" run --bundle "$BUNDLE" --pid-file "$BUNDLE/pid" "$ID"
    wait_until 30 [ -e "$BUNDLE/at-it" ]
    kill -$signal "$CALLER"
    ends 1 "hooks.createRuntime[0] '/bin/sh': cancelled"
    [ -e "$BUNDLE/stopped" ] && [ ! -e "$BUNDLE/pid" ]
    wait_until 10 no_nap
    assert_nothing_left
    rm -rf "$BUNDLE"
  done
}

@test "run: in hooks that init runs, before RUN and after, and in poststart" {
  local kind words
  while read -r kind words; do
    make_bundle sleep "$(nap)"
    mkdir "$BUNDLE/shared"
    config '.mounts += [{destination: "/shared", type: "bind", source: ($b + "/shared"), options: ["bind"]}]
      | .hooks[$kind] = [{path: "/bin/sh", args: ["sh", "-c", "touch \(if $kind == "startContainer" then "" else $b end)/shared/at-it; sleep \($nap)"]}]' \
      --arg nap "$(nap)" --arg kind "$kind" --arg b "$BUNDLE"
    begin "$RUNTIME" run --bundle "$BUNDLE" "$ID"
    wait_until 30 [ -e "$BUNDLE/shared/at-it" ]
    kill -TERM "$CALLER"
    ends 1 "$words"
    wait_until 10 no_nap
    assert_nothing_left
    rm -rf "$BUNDLE"
  done <<'ROWS'
createContainer cancelled in step created
startContainer cancelled in step executing
poststart hooks.poststart[0] '/bin/sh': cancelled
ROWS
}

# What came before anybody looked is seen before RUN: the program does not start, to find a signal
# that it may well ignore (process 1 of a pid namespace does).
@test "run, exec: a signal that is pending before RUN" {
  make_bundle sh -c 'echo ran; sleep 100'
  local step
  for step in host:load host:spawn host:limits host:created; do
    TARE_FAULT=$step:stop begin "$FAULTY" run --bundle "$BUNDLE" "$ID"
    wait_until 30 grep -q '^State:.T' "/proc/$CALLER/status"
    kill -TERM "$CALLER"
    kill -CONT "$CALLER"
    ends 1 "cancelled in step"
    assert_nothing_left
  done
  create
  rt start "$ID"
  for step in host:load host:spawn host:ready; do
    TARE_FAULT=$step:stop begin "$FAULTY" exec "$ID" echo ran
    wait_until 30 grep -q '^State:.T' "/proc/$CALLER/status"
    kill -INT "$CALLER"
    kill -CONT "$CALLER"
    ends 255 "cancelled in step"
    [ "$(rt ps --format json "$ID" | jq length)" -le 2 ] # sh and sleep
  done
  [ "$(status_of "$ID")" = running ]
}

@test "exec --ignore-paused waits, until somebody has had enough" {
  make_bundle sleep 1000
  create
  rt start "$ID"
  rt pause "$ID"
  begin "$RUNTIME" exec --ignore-paused "$ID" echo ran
  two() { [ "$(rt ps --format json "$ID" | jq length)" -eq 2 ]; }
  wait_until 30 two
  kill -INT "$CALLER"
  ends 255 "cancelled in step"
  [ "$(status_of "$ID")" = paused ]
  rt resume "$ID"
  one() { [ "$(rt ps --format json "$ID" | jq length)" -eq 1 ]; }
  wait_until 30 one
}
