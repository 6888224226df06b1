#!/usr/bin/env bats
# A config with many of something costs as much more as it has more of it: counted in instructions,
# which no load of the machine changes. Managers pass tens of thousands of variables.

load helpers
load inside

# instructions KIND N
instructions() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$(tool make-plan)" "$1" "$2" 2>&1 |
    awk '/Collected/ { print $NF } /: .*is not|error/ { print > "/dev/stderr" }'
}

@test "env, args, masks, annotations, mounts, sysctls, groups: eight times as many, not twelve times the work" {
  command -v valgrind >/dev/null || skip "valgrind is not installed"
  [ -z "${TARE_SANITIZED:-}" ] || skip "valgrind runs no AddressSanitizer build; the ordinary build runs this"
  local kind none few many
  none=$(instructions env 0)
  for kind in env args masks annotations mounts sysctls groups; do
    few=$(($(instructions $kind 500) - none))
    many=$(($(instructions $kind 4000) - none))
    echo "$kind: 500: $few, 4000: $many" >&2
    [ "$few" -gt 0 ]
    [ "$many" -lt $((12 * few)) ]
  done
}

# Both programs, to the end. The peers take 2.5 s.
@test "forty thousand variables: 0.2 s of processor time, of run and all that it makes" {
  [ -z "${TARE_SANITIZED:-}" ] || skip "the ordinary build runs this"
  make_bundle sh -c 'set | grep -c "^V[0-9]*="'
  config '.process.env += [range(40000) | "V\(.)=\(.)"]'
  local times spent
  rt run --bundle "$BUNDLE" "$ID" </dev/null >"$WORK/count"
  [ "$(cat "$WORK/count")" = 40000 ]
  config '.process.args = ["true"]'
  TIMEFORMAT='%3U %3S'
  times=$({ time rt run --bundle "$BUNDLE" "$ID" </dev/null >/dev/null; } 2>&1)
  spent=$(awk '{ print int (1000 * ($1 + $2)) }' <<<"$times")
  echo "$spent ms" >&2
  [ "$spent" -lt 200 ]
}

@test "forty thousand variables: fewer than 400 million instructions, 0.1 s" {
  command -v valgrind >/dev/null || skip "valgrind is not installed"
  [ -z "${TARE_SANITIZED:-}" ] || skip "valgrind runs no AddressSanitizer build; the ordinary build runs this"
  local count
  count=$(instructions env 40000)
  echo "$count" >&2
  [ "$count" -lt 400000000 ]
}
