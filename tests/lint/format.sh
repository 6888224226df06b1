#!/bin/bash
# format.sh [FILE...]: C files look as clang-format with .clang-format makes them.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need clang-format
cd "$top_srcdir"
if [ $# -gt 0 ]; then files=("$@"); else
  mapfile -t files < <(product_files ch && test_files ch)
fi
bad=0
for file in "${files[@]}"; do
  # The style comes from .clang-format of the source tree, wherever the file is.
  wanted=$(clang-format "--assume-filename=$top_srcdir/src/$(basename "$file")" <"$file")
  difference=$(diff -u --label "$file" --label clang-format "$file" <(echo "$wanted")) || {
    bad=$((bad + 1))
    head -n 12 <<<"$difference"
  }
done
echo "${#files[@]} files, $bad not formatted"
[ "$bad" -eq 0 ]
