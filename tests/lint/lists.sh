#!/bin/bash
# lists.sh [SOURCE-TREE]: each Makemodule.am names every source and header of its folder.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
cd "${1:-$top_srcdir}"
bad=0
count=0
for list in src/*/Makemodule.am libocispec/Makemodule.am; do
  [ -e "$list" ] || continue
  folder=${list%/Makemodule.am}
  while read -r file; do
    count=$((count + 1))
    grep -qF "$file" "$list" || {
      echo "$list: $file is missing"
      bad=1
    }
  done < <(find "$folder" -name '*.[ch]' | sort)
  while read -r file; do
    [ -e "$file" ] || {
      echo "$list: $file does not exist"
      bad=1
    }
  done < <(grep -o "$folder/[a-zA-Z0-9_./-]*\.[ch]\b" "$list" || true)
done
echo "$count files"
[ "$count" -gt 0 ] && [ "$bad" -eq 0 ]
