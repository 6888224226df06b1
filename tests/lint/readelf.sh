#!/bin/bash
# readelf.sh [KIND FILE]...: programs and library are hardened as they should be. KIND: static-pie,
# static (not position independent, by request), shared (a program), library.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need readelf objdump nm

bad=0
complain() {
  echo "$file: $1"
  bad=$((bad + 1))
}

check() {
  local kind=$1 file=$2 header segments dynamic symbols
  header=$(readelf -hW "$file")
  segments=$(readelf -lW "$file")
  dynamic=$(readelf -dW "$file")
  symbols=$({ nm "$file"; nm -D "$file"; } 2>/dev/null || true)

  case $kind in
    static) ;;
    library) grep -q 'Type: *DYN' <<<"$header" || complain 'not a shared object' ;;
    *)
      { grep -q 'Type: *DYN' <<<"$header" && grep -q 'FLAGS_1.*PIE' <<<"$dynamic"; } ||
        complain 'not position independent'
      ;;
  esac
  grep -q GNU_RELRO <<<"$segments" || complain 'no RELRO'
  case $kind in
    static) ;;
    *) grep -Eq 'BIND_NOW|FLAGS.*NOW' <<<"$dynamic" || complain 'no BIND_NOW' ;;
  esac
  ! grep -E '^  [A-Z_]+ +(0x[0-9a-f]+ +){5}[R ]?WE' <<<"$segments" ||
    complain 'a segment is writable and executable'
  grep -Eq 'GNU_STACK.* RW ' <<<"$segments" || complain 'the stack is executable'
  ! grep -E 'RPATH|RUNPATH' <<<"$dynamic" || complain 'it has a library path of its own'
  ! grep -q TEXTREL <<<"$dynamic" || complain 'text relocations'
  case $kind in
    static*)
      ! grep NEEDED <<<"$dynamic" || complain 'it needs a library'
      ! grep -q INTERP <<<"$segments" || complain 'it asks for a dynamic loader'
      ;;
  esac
  if [ -u "$file" ] || [ -g "$file" ]; then complain 'setuid or setgid'; fi
  if command -v getcap >/dev/null && [ -n "$(getcap "$file")" ]; then
    complain 'it has file capabilities'
  fi
  # The canary: by its symbol, or in a stripped program by its place in the thread's block.
  grep -q '__stack_chk_fail' <<<"$symbols" || has_canary || complain 'no stack protector'
}

has_canary() {
  objdump -d "$file" | awk '/%fs:0x28|__stack_chk_guard/ { n++ } END { exit n < 4 }'
}

if [ $# -eq 0 ]; then
  linkage=$(sed -n 's/^tare_linkage = //p' "$top_builddir/Makefile")
  fortified=$top_builddir/tare
  if [ "$linkage" = musl ]; then # which has no _FORTIFY_SOURCE
    linkage=static-pie
    fortified=$top_builddir/libtare.so.0.1.0
  fi
  set -- "$linkage" "$top_builddir/tare" static-pie "$top_builddir/tare-init" \
    static-pie "$top_builddir/init-objects/tare-init" library "$top_builddir"/libtare.so.0.1.0
  # FORTIFY leaves checked variants behind.
  nm "$fortified" | grep '_chk\(@.*\)\{0,1\}$' >/dev/null ||
    { file=$fortified; complain 'nothing of _FORTIFY_SOURCE'; }
fi
count=0
while [ $# -gt 0 ]; do
  check "$1" "$2"
  count=$((count + 1))
  shift 2
done
echo "$count files, $bad faults"
[ "$bad" -eq 0 ]
