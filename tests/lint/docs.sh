#!/bin/bash
# docs.sh [--update] [FILE]: the step tables in docs/architecture.md are those of the code. Between
# "<!-- steps: NAME -->" and "<!-- end -->" stands what `tare-steps NAME` prints; --update puts it
# there.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
update=
if [ "${1:-}" = --update ]; then
  update=1
  shift
fi
file=${1:-$top_srcdir/docs/architecture.md}
printer=${TARE_STEPS:-$top_builddir/tests/lint/tare-steps}
made=$(mktemp)
trap 'rm -f "$made"' EXIT

bad=0
tables=0
copying=1
while IFS= read -r line; do
  [ "$line" != '<!-- end -->' ] || copying=1
  [ -z "$copying" ] || printf '%s\n' "$line"
  if [[ $line =~ ^'<!-- steps: '([a-z]+)' -->'$ ]]; then
    tables=$((tables + 1))
    "$printer" "${BASH_REMATCH[1]}" || bad=1
    copying=
  fi
done <"$file" >"$made"

"$printer" check || bad=1
[ "$tables" -gt 0 ] || { echo "$file has no table of steps"; bad=1; }
if [ -n "$update" ]; then
  cp "$made" "$file"
elif ! diff -u --label "$file" --label 'the code' "$file" "$made"; then
  echo "stale: tests/lint/docs.sh --update puts it right"
  bad=1
fi

echo "$tables tables"
[ "$bad" -eq 0 ]
