#!/bin/bash
# compile.sh [FILE...]: gcc and clang compile every source without a warning.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need gcc clang
cd "$top_srcdir"
if [ $# -gt 0 ]; then files=("$@"); else
  mapfile -t files < <(product_files c && test_files c)
fi
flags=(-std=gnu11 -O2 -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Werror
  -D_FORTIFY_SOURCE=2 '-DTARE_LIBEXECDIR="/"' '-DTARE_COMMIT="0"' -include "$top_builddir/config.h")

compile() {
  local cc=$1 file=$2 own=()
  case $file in
    tests/*)
      own=("${includes[@]}" -Wno-unused-result)
      [ "$cc" != gcc ] || own+=(-Wno-format-truncation)
      ;;
    src/cli/*) own=(-I"$top_srcdir/include" -include src/base/banned.h) ;;
    *) own=("${includes[@]}" -include src/base/banned.h) ;;
  esac
  "$cc" "${flags[@]}" "${own[@]}" -c -o /dev/null "$file" || {
    echo "$file: $cc refuses it"
    return 1
  }
}

bad=0
running=0
for cc in gcc clang; do
  for file in "${files[@]}"; do
    if [ "$running" -ge "$(nproc)" ]; then
      wait -n || bad=$((bad + 1))
      running=$((running - 1))
    fi
    compile "$cc" "$file" &
    running=$((running + 1))
  done
done
while [ "$running" -gt 0 ]; do
  wait -n || bad=$((bad + 1))
  running=$((running - 1))
done
echo "${#files[@]} files, gcc and clang: $bad refused"
[ "$bad" -eq 0 ]
