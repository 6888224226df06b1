#!/bin/bash
# selftest.sh: each check fails on an input made bad on purpose, and says why. A check that cannot
# fail proves nothing.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need gcc
work=$(mktemp -d "${TMPDIR:-/tmp}/tare-lint.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'echo "selftest.sh: line $LINENO failed"' ERR
cd "$work"
bad=0
count=0

# fails TEXT COMMAND...: COMMAND must fail and say TEXT.
fails() {
  local text=$1 output status=0
  shift
  count=$((count + 1))
  output=$("$@" 2>&1) || status=$?
  if [ "$status" -eq 0 ]; then
    echo "it passed, but should not: $*"
    bad=1
  elif ! grep -qF -- "$text" <<<"$output"; then
    echo "it failed, but not with \"$text\": $*"
    head -n 5 <<<"$output"
    bad=1
  fi
}

# passes COMMAND...: the control: the same check on a good input.
passes() {
  local output
  count=$((count + 1))
  output=$("$@" 2>&1) || {
    echo "it failed, but should not: $*"
    head -n 5 <<<"$output"
    bad=1
  }
}

# tree NAME FILE CONTENT [FILE CONTENT]...: a source tree and its objects.
tree() {
  local name=$1 file
  shift
  while [ $# -gt 0 ]; do
    file=$name/$1
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$2" >"$file"
    [ "${file%.c}" = "$file" ] || 
      gcc -w -O0 -U_FORTIFY_SOURCE -iquote "$name/src" -c -o "${file%.c}.o" "$file"
    shift 2
  done
  mkdir -p "$name/src" "$name/libocispec"
}

# ---- the look of the sources --------------------------------------------------------------------
printf 'int f (void);\n\nint\nf (void)\n{\n  return 0;\n}\n' >good.c
printf 'int f(void);\nint f(void) { return 0; }\n' >ugly.c
passes "$lint_dir/format.sh" "$work/good.c"
fails '1 not formatted' "$lint_dir/format.sh" "$work/ugly.c"

printf '#!/bin/bash\necho "$1"\n' >good.sh
printf '#!/bin/bash\nrm $1/*\n' >careless.sh
passes "$lint_dir/shell.sh" "$work/good.sh"
fails SC2086 "$lint_dir/shell.sh" "$work/careless.sh"

# ---- compilers ----------------------------------------------------------------------------------
printf 'int f (void);\n\nint\nf (void)\n{\n  int a[2] = { 0 };\n  return a[2];\n}\n' >overrun.c
printf 'int\nf (void)\n{\n  return 0;\n}\n' >no-prototype.c
printf '#include <string.h>\nchar *f (char *, const char *);\n\nchar *\nf (char *a, const char *b)\n{\n  return strcpy (a, b);\n}\n' >copies.c
passes "$lint_dir/compile.sh" "$work/good.c"
fails 'gcc refuses it' "$lint_dir/compile.sh" "$work/no-prototype.c"
fails 'clang refuses it' "$lint_dir/compile.sh" "$work/no-prototype.c"
fails poisoned "$lint_dir/compile.sh" "$work/copies.c"
passes "$lint_dir/cppcheck.sh" "$work/good.c"
fails arrayIndexOutOfBounds "$lint_dir/cppcheck.sh" "$work/overrun.c"

# ---- layers -------------------------------------------------------------------------------------
tree good src/base/a.c 'int base_a (void) { return 1; }' \
  src/base/a.h 'int base_a (void);' src/sys/b.c '#include "base/a.h"
int base_a (void); int sys_b (void) { return base_a (); }'
passes "$lint_dir/layers.sh" "$work/good" "$work/good"
tree upward src/base/a.c 'int sys_b (void); int base_a (void) { return sys_b (); }' \
  src/sys/b.c 'int sys_b (void) { return 1; }'
fails 'base may not use sys' "$lint_dir/layers.sh" "$work/upward" "$work/upward"
tree sideways src/cgroup/a.c 'int net_b (void); int cgroup_a (void) { return net_b (); }' \
  src/net/b.c 'int net_b (void) { return 1; }'
fails 'cgroup may not use net' "$lint_dir/layers.sh" "$work/sideways" "$work/sideways"
tree private src/lib/a.c 'int lib_a (void) { return 1; }' \
  src/cli/tare-b.c 'int lib_a (void); int cli_b (void) { return lib_a (); }'
fails 'does not declare' "$lint_dir/layers.sh" "$work/private" "$work/private"
tree header src/plan/a.c '' src/plan/a.h '#include "host/host.h"'
fails 'plan may not use host' "$lint_dir/layers.sh" "$work/header" "$work/header"
tree json src/init/a.c '' src/init/a.h '#include "libocispec/ocispec.h"'
fails 'init may not use ocispec' "$lint_dir/layers.sh" "$work/json" "$work/json"
tree parent src/plan/a.c '' src/plan/a.h '#include "../init/init.h"'
fails 'no way upward' "$lint_dir/layers.sh" "$work/parent" "$work/parent"
tree circle src/sys/a.c 'int b (void); int a (void) { return b (); }' \
  src/sys/b.c 'int a (void); int b (void) { return a (); }'
fails 'need each other' "$lint_dir/layers.sh" "$work/circle" "$work/circle"
tree nothing
fails '' "$lint_dir/layers.sh" "$work/nothing" "$work/nothing"

# ---- banned calls -------------------------------------------------------------------------------
echo '# none' >none.allow
tree clean src/sys/a.c '#include <fcntl.h>
int f (int d) { return openat (d, "x", O_RDONLY); }'
passes "$lint_dir/banned.sh" --allow "$work/none.allow" "$work/clean" "$work/clean"
tree opens src/host/a.c '#include <fcntl.h>
int f (const char *p) { return open (p, O_RDONLY); }'
fails 'src/host/a.c: calls open () with a path' \
  "$lint_dir/banned.sh" --allow "$work/none.allow" "$work/opens" "$work/opens"
echo 'src/host/a.c open the caller names it' >open.allow
passes "$lint_dir/banned.sh" --allow "$work/open.allow" "$work/opens" "$work/opens"
echo 'src/host/a.c open' >reasonless.allow
fails 'calls open ()' "$lint_dir/banned.sh" --allow "$work/reasonless.allow" "$work/opens" "$work/opens"
printf 'src/host/a.c open the caller names it\nsrc/host/a.c mkdir not any more\n' >stale.allow
fails 'does not call mkdir any more' \
  "$lint_dir/banned.sh" --allow "$work/stale.allow" "$work/opens" "$work/opens"
tree large src/host/a.c '#define _FILE_OFFSET_BITS 64
#include <stdio.h>
void *f (const char *p) { return fopen (p, "r"); }'
fails 'calls fopen ()' "$lint_dir/banned.sh" --allow "$work/none.allow" "$work/large" "$work/large"
tree raw src/sys/a.c '#include <sys/syscall.h>
#include <unistd.h>
long f (const char *p) { return syscall (SYS_mkdir, p, 0); }'
fails 'SYS_mkdir takes a path' "$lint_dir/banned.sh" --allow "$work/none.allow" "$work/raw" "$work/raw"
tree names src/lib/a.c '#include <pwd.h>
void *f (void) { return getpwuid (0); }'
fails 'no name service' "$lint_dir/banned.sh" --allow "$work/none.allow" "$work/names" "$work/names"

# ---- size ---------------------------------------------------------------------------------------
statements() {
  local i
  for ((i = 0; i < $1; i++)); do echo '  x++;'; done
}
{
  printf 'int\nlong_one (int x)\n{\n'
  statements 60
  printf '  return x;\n}\n'
} >long.c
fails 'long_one () has' "$lint_dir/size.sh" "$work/long.c"
{
  cat good.c
  for ((i = 0; i < 600; i++)); do echo '/* */'; done
} >tall.c
fails '607 lines, the limit is 600' "$lint_dir/size.sh" "$work/tall.c"
passes "$lint_dir/size.sh" "$work/good.c"

# ---- exports ------------------------------------------------------------------------------------
cat "$top_srcdir/include/tare.h" >more.h
printf 'int tare_forgotten (void);\n' >>more.h
fails tare_forgotten "$lint_dir/exports.sh" "$work/more.h"
sed '/tare_state;/d' "$top_srcdir/libtare.sym" >fewer.sym
fails tare_state "$lint_dir/exports.sh" "$top_srcdir/include/tare.h" "$work/fewer.sym"
fails 'libtare.a (>) differ' "$lint_dir/exports.sh" "$top_srcdir/include/tare.h" "$top_srcdir/libtare.sym" \
  "$top_builddir/libtare.so.0.1.0" "$top_builddir/libtare-internal.a"

# ---- readelf ------------------------------------------------------------------------------------
printf '#include <string.h>\nint main (int c, char **v) { char b[64]; return (int) strlen (strcpy (b, v[0])) + c; }\n' >main.c
# shellcheck disable=SC2054
hard=(-O0 -U_FORTIFY_SOURCE -fPIE -fstack-protector-strong -Wl,-z,relro,-z,now,-z,noexecstack)
gcc -w "${hard[@]}" -static-pie -o hard main.c
passes "$lint_dir/readelf.sh" static-pie "$work/hard"
gcc -w "${hard[@]}" -pie -o dynamic main.c
fails 'needs a library' "$lint_dir/readelf.sh" static-pie "$work/dynamic"
passes "$lint_dir/readelf.sh" shared "$work/dynamic"
gcc -w "${hard[@]}" -no-pie -o fixed main.c
fails 'not position independent' "$lint_dir/readelf.sh" shared "$work/fixed"
gcc -w "${hard[@]}" -pie -Wl,-z,norelro -o no-relro main.c
fails 'no RELRO' "$lint_dir/readelf.sh" shared "$work/no-relro"
gcc -w "${hard[@]}" -pie -Wl,-z,lazy -o lazy main.c
fails 'no BIND_NOW' "$lint_dir/readelf.sh" shared "$work/lazy"
gcc -w "${hard[@]}" -pie -Wl,-z,execstack -o execstack main.c
fails 'the stack is executable' "$lint_dir/readelf.sh" shared "$work/execstack"
echo 'void _start (void) { for (;;); }' >bare.c
gcc -w -nostdlib -static -no-pie -Wl,-N -Wl,--no-warn-rwx-segments -o rwx bare.c
fails 'writable and executable' "$lint_dir/readelf.sh" static "$work/rwx"
gcc -w "${hard[@]}" -pie -Wl,-rpath,/tmp -o rpath main.c
fails 'a library path of its own' "$lint_dir/readelf.sh" shared "$work/rpath"
gcc -w "${hard[@]}" -pie -fno-stack-protector -o no-canary main.c
fails 'no stack protector' "$lint_dir/readelf.sh" shared "$work/no-canary"
cp dynamic setuid
chmod u+s setuid
fails 'setuid or setgid' "$lint_dir/readelf.sh" shared "$work/setuid"

# ---- documents ----------------------------------------------------------------------------------
printf '#!/bin/sh\n[ "$1" = check ] || echo "| table $1 |"\n' >steps
chmod +x steps
export TARE_STEPS=$work/steps
printf 'before\n<!-- steps: init -->\nold\n<!-- end -->\nafter\n' >stale.md
fails stale "$lint_dir/docs.sh" "$work/stale.md"
passes "$lint_dir/docs.sh" --update "$work/stale.md"
passes "$lint_dir/docs.sh" "$work/stale.md"
printf 'no table\n' >empty.md
fails 'no table of steps' "$lint_dir/docs.sh" "$work/empty.md"

# ---- lists --------------------------------------------------------------------------------------
tree listed src/base/a.c 'int a;' src/base/Makemodule.am 'base_SOURCES_LIST = src/base/a.c'
passes "$lint_dir/lists.sh" "$work/listed"
tree listed src/base/b.c 'int b;'
fails 'src/base/b.c is missing' "$lint_dir/lists.sh" "$work/listed"
tree gone src/base/a.c 'int a;' src/base/Makemodule.am 'base_SOURCES_LIST = src/base/a.c src/base/z.c'
fails 'src/base/z.c does not exist' "$lint_dir/lists.sh" "$work/gone"

echo "$count probes"
[ "$bad" -eq 0 ]
