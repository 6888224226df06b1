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

@test "forty thousand variables: fewer than 400 million instructions, 0.1 s" {
  command -v valgrind >/dev/null || skip "valgrind is not installed"
  [ -z "${TARE_SANITIZED:-}" ] || skip "valgrind runs no AddressSanitizer build; the ordinary build runs this"
  local count
  count=$(instructions env 40000)
  echo "$count" >&2
  [ "$count" -lt 400000000 ]
}
