#!/bin/bash
# shell.sh [FILE...]: shellcheck finds nothing in the scripts, the bats files and their helpers.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need shellcheck
cd "$top_srcdir"
if [ $# -gt 0 ]; then files=("$@"); else
  mapfile -t files < <(
    {
      printf '%s\n' autogen.sh quickstart.sh .ci/run
      find tests -type f \( -name '*.sh' -o -name '*.bash' -o -name '*.bats' \)
      find tests -type f ! -name '*.*' -exec grep -l '^#!/bin/\(ba\)\{0,1\}sh' {} +
    } | sort -u
  )
fi
# SC2016, SC2094: sed and awk programs in single quotes; a file that is read twice.
bad=0
for file in "${files[@]}"; do
  # shellcheck disable=SC2054
  options=(--severity=info --exclude=SC2016,SC2094)
  case $file in
    # What bats sets and reads by itself; listings of directories that the test itself filled.
    *.bats | tests/integration/*)
      # shellcheck disable=SC2054
      options=(--severity=warning --exclude=SC1010,SC1087,SC2010,SC2016,SC2030,SC2031,SC2034,SC2120,SC2154,SC2174)
      ;;
  esac
  shellcheck "${options[@]}" --external-sources --source-path="$lint_dir" \
    --source-path="$(dirname "$file")" "$file" || bad=$((bad + 1))
done
echo "${#files[@]} scripts, $bad with faults"
[ "$bad" -eq 0 ]
