#!/bin/bash
# cppcheck.sh [FILE...]: cppcheck finds nothing in the product's sources.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need cppcheck
cd "$top_srcdir"
if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(product_files c); fi
# No -I for the system's headers: cppcheck knows the libraries by itself.
cppcheck --quiet --error-exitcode=1 -j "$(nproc)" --std=c11 --language=c --inline-suppr \
  --enable=warning,performance,portability --suppressions-list="$lint_dir/cppcheck.suppressions" \
  --template='{file}:{line}: {severity}: {message} [{id}]' \
  -Isrc -I. -Iinclude -D__linux__ -D__x86_64__ -DHAVE_SECCOMP=1 -DHAVE_CAP=1 -DHAVE_SYSTEMD=1 \
  '-DPACKAGE_VERSION="0"' '-DTARE_COMMIT="0"' '-DTARE_LIBEXECDIR="/"' "${files[@]}"
echo "${#files[@]} files"
