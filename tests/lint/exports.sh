#!/bin/bash
# exports.sh [HEADER SYMBOLS [LIBRARY ARCHIVE]]: libtare.sym, libtare.so and libtare.a have the
# functions of include/tare.h, no more and no less.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need nm
header=${1:-$top_srcdir/include/tare.h}
symbols=${2:-$top_srcdir/libtare.sym}
library=${3:-$top_builddir/libtare.so.0.1.0}
archive=${4:-$top_builddir/libtare.a}

declared=$(grep -v '^ \*\|^/\*' "$header" | grep -o '\btare_[a-z_]* (' | tr -d ' (' | sort -u)
versioned=$(sed -n 's/^  *\(tare_[a-z_]*\);$/\1/p' "$symbols" | sort -u)
exported=$(nm -D --defined-only "$library" | awk '$2 == "T" { sub (/@.*/, "", $3); print $3 }' | sort)
archived=$(nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort)

bad=0
compare() {
  diff <(echo "$declared") <(echo "$2") >/dev/null || {
    bad=1
    echo "include/tare.h (<) and $1 (>) differ:"
    diff <(echo "$declared") <(echo "$2") | grep '^[<>] .' || true
  }
}
compare libtare.sym "$versioned"
compare libtare.so "$exported"
compare libtare.a "$archived"
echo "$(wc -w <<<"$declared") functions"
[ "$bad" -eq 0 ]
