#!/bin/bash
# banned.sh [--allow FILE] [SOURCE-TREE OBJECT-TREE]: no call takes a path where a path may come
# from a config or a container, but in the places that banned.allow names, each with its reason.
# Nothing asks the system's name service, loads code, or sets a locale.
#
# Calls are read from the objects (nm), so no macro hides one; raw system calls by number are read
# from the sources.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need nm
allow=$lint_dir/banned.allow
if [ "${1:-}" = --allow ]; then
  allow=$2
  shift 2
fi
sources=${1:-$top_srcdir}
objects=${2:-$top_builddir}

path_calls='open creat stat lstat access eaccess euidaccess fopen freopen opendir scandir mount
umount umount2 chmod lchmod chown lchown mkdir mkfifo mknod symlink link unlink remove rmdir rename
readlink realpath canonicalize_file_name truncate utime utimes lutimes chdir chroot pivot_root
setxattr lsetxattr getxattr lgetxattr removexattr lremovexattr listxattr llistxattr statfs statvfs
nftw ftw fts_open glob wordexp execl execle execlp execv execve execvp execvpe posix_spawn
posix_spawnp mkstemp mkostemp mkdtemp acct swapon shm_open shm_unlink inotify_add_watch'
other_calls='getpwnam getpwuid getpwnam_r getpwuid_r getgrnam getgrgid getgrnam_r getgrgid_r
getgrouplist initgroups getaddrinfo gethostbyname dlopen dlmopen setlocale iconv_open'
numbers='open openat creat stat lstat access mount umount2 chmod chown lchown mkdir mknod symlink link
unlink rmdir rename readlink truncate utime utimes chdir chroot pivot_root setxattr lsetxattr
getxattr lgetxattr statfs execve'

bad=0
count=0
# report FILE CALL WHAT
report() {
  count=$((count + 1))
  if ! awk -v file="$1" -v call="$2" '
    !/^#/ && $1 == file && ($2 == call) && NF > 2 { found = 1 }
    END { exit !found }' "$allow"; then
    echo "$1: $3"
    bad=1
  fi
}

# ---- library calls ------------------------------------------------------------------------------
cd "$objects"
mapfile -t object_files < <(
  find src libocispec -name '*.o' ! -name 'tests_tare_faults-*' ! -name 'lib*_a-*' 2>/dev/null
  find init-objects/src -name '*.o' 2>/dev/null
)
found=$(nm -A -u --format=posix "${object_files[@]}" | awk -v paths="$path_calls" \
  -v others="$other_calls" '
  BEGIN {
    n = split (paths, name, /[ \n]+/)
    for (i = 1; i <= n; i++)
      kind[name[i]] = "path"
    n = split (others, name, /[ \n]+/)
    for (i = 1; i <= n; i++)
      kind[name[i]] = "other"
  }
  {
    file = $1
    sub (/:$/, "", file)
    sub (/^init-objects\//, "", file)
    sub (/\/tare-/, "/", file)
    sub (/\.o$/, ".c", file)
    call = $2
    # glibc: open64, __open_2, __open64_2, __realpath_chk
    sub (/^__/, "", call)
    sub (/_2$|_chk$/, "", call)
    sub (/64$/, "", call)
    if (call in kind)
      print file, call, kind[call]
  }' | sort -u)
while read -r file call kind; do
  [ -n "$file" ] || continue
  if [ "$kind" = path ]; then
    report "$file" "$call" "calls $call () with a path"
  else
    report "$file" "$call" "calls $call (): no name service, plug-in or locale"
  fi
done <<<"$found"

# ---- system calls by number ---------------------------------------------------------------------
cd "$sources"
pattern="\\b(SYS_|__NR_)($(tr -s ' \n' '||' <<<"$numbers" | sed 's/|$//'))\\b"
while IFS=: read -r file line text; do
  [ -n "$file" ] || continue
  call=$(grep -oE "$pattern" <<<"$text" | head -n 1)
  report "$file" "$call" "line $line: $call takes a path"
done < <(find src libocispec -name '*.[ch]' -exec grep -HnE "$pattern" {} + || true)

# ---- allowances that nothing uses ---------------------------------------------------------------
while read -r file call _; do
  [ -e "$file" ] || continue
  case $call in
    SYS_* | __NR_*) grep -qw "$call" "$file" ;;
    *) grep -q "^$file $call " <<<"$found" ;;
  esac || {
    echo "${allow##*/}: $file does not call $call any more"
    bad=1
  }
done < <(grep -v '^#' "$allow" | grep -v '^ *$')
echo "${#object_files[@]} objects, $count calls with a path"
[ "$bad" -eq 0 ] && [ "${#object_files[@]}" -gt 0 ]
