#!/bin/bash
# size.sh [FILE...]: no function over 60 lines, no file over 600; in tests 100 and 800. Prints the
# longest.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need ctags
cd "$top_srcdir"
if [ $# -gt 0 ]; then files=("$@"); else
  mapfile -t files < <(product_files ch && test_files ch)
fi

functions=$(ctags --languages=C --langmap=C:.c.h --kinds-C=f --fields=+ne --output-format=xref \
  --_xformat='%e %n %N %F' "${files[@]}" | awk '$1 != "" && NF == 4 { print $1 - $2 + 1, $3, $4 }' |
  sort -rn)
lengths=$(for file in "${files[@]}"; do echo "$(wc -l <"$file") $file"; done | sort -rn)

awk '
  { length_of[NR] = $1 }
  NR <= 5 { printf "  %4d lines  %s () in %s\n", $1, $2, $3 }
  { max = $3 ~ /^tests\// ? 100 : 60 }
  $1 > max { bad = bad sprintf ("%s: %s () has %d lines, the limit is %d\n", $3, $2, $1, max) }
  END {
    if (NR > 0)
      printf "%d functions: median %d, p90 %d lines\n", NR, length_of[int ((NR + 1) / 2)], \
        length_of[int (NR / 10) + 1]
    printf "%s", bad
    exit bad != ""
  }' <<<"$functions" || bad=1
awk '
  { total += $1 }
  NR <= 5 { printf "  %4d lines  %s\n", $1, $2 }
  { max = $2 ~ /^tests\// ? 800 : 600 }
  $1 > max { bad = bad sprintf ("%s: %d lines, the limit is %d\n", $2, $1, max) }
  END { printf "%d files, %d lines\n%s", NR, total, bad; exit bad != "" }' <<<"$lengths" || bad=1
[ -z "${bad:-}" ]
