#!/bin/bash
# size.sh [FILE...]: no function over 60 lines, no file over 600; prints the longest.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need ctags
max_function=60
max_file=600
cd "$top_srcdir"
if [ $# -gt 0 ]; then files=("$@"); else
  mapfile -t files < <(product_files ch && test_files ch)
fi

functions=$(ctags --languages=C --langmap=C:.c.h --kinds-C=f --fields=+ne --output-format=xref \
  --_xformat='%e %n %N %F' "${files[@]}" | awk '$1 != "" && NF == 4 { print $1 - $2 + 1, $3, $4 }' |
  sort -rn)
lengths=$(for file in "${files[@]}"; do echo "$(wc -l <"$file") $file"; done | sort -rn)

awk -v max="$max_function" '
  { length_of[NR] = $1 }
  NR <= 5 { printf "  %4d lines  %s () in %s\n", $1, $2, $3 }
  $1 > max { bad = bad sprintf ("%s: %s () has %d lines, the limit is %d\n", $3, $2, $1, max) }
  END {
    if (NR > 0)
      printf "%d functions: median %d, p90 %d lines\n", NR, length_of[int ((NR + 1) / 2)], \
        length_of[int (NR / 10) + 1]
    printf "%s", bad
    exit bad != ""
  }' <<<"$functions" || bad=1
awk -v max="$max_file" '
  { total += $1 }
  NR <= 5 { printf "  %4d lines  %s\n", $1, $2 }
  $1 > max { bad = bad sprintf ("%s: %d lines, the limit is %d\n", $2, $1, max) }
  END { printf "%d files, %d lines\n%s", NR, total, bad; exit bad != "" }' <<<"$lengths" || bad=1
[ -z "${bad:-}" ]
