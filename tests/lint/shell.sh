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
shellcheck --severity=info --exclude=SC2016,SC2094 --external-sources --source-path="$lint_dir" "${files[@]}"
echo "${#files[@]} scripts"
