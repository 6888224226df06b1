#!/bin/bash
# layers.sh [SOURCE-TREE OBJECT-TREE]: the folders depend on each other in one direction only.
#
# Three things are checked: the #include lines, the symbols that objects of one folder take from
# another (by nm, so nothing hides behind a macro or a declaration of one's own), and that no two
# files need each other, directly or round a corner.
# shellcheck source=common.bash
. "$(dirname "$0")/common.bash"
need nm tsort
sources=${1:-$top_srcdir}
objects=${2:-$top_builddir}

# What each folder may use, besides itself. cli takes from the library through include/tare.h only.
layers='
base:
ocispec: base
sys: base
plan: base sys
init: base sys plan
spec: base ocispec sys plan
cgroup: base ocispec sys plan spec
state: base ocispec sys plan spec
net: base ocispec sys plan spec
host: base ocispec sys plan spec cgroup state net
lib: base ocispec sys plan spec cgroup state net host
cli: lib
systemd: base
musl:
'
bad=0

# ---- the table itself has no cycle --------------------------------------------------------------
awk -F: 'NF == 2 { n = split ($2, to, " "); for (i = 1; i <= n; i++) print $1, to[i] }' \
  <<<"$layers" | tsort >/dev/null || bad=1

# ---- #include -----------------------------------------------------------------------------------
cd "$sources"
includes_found=$({ find src libocispec -name '*.[ch]' -exec grep -Hn '^ *# *include *"' {} + || true; } |
  sed 's/^\([^:]*\):\([0-9]*\): *# *include *"\([^"]*\)".*/\1 \2 \3/')
awk -v layers="$layers" '
  BEGIN {
    n = split (layers, line, "\n")
    for (i = 1; i <= n; i++)
      if (split (line[i], part, ":") == 2)
        {
          known[part[1]] = 1
          m = split (part[2], uses, " ")
          for (j = 1; j <= m; j++)
            may[part[1], uses[j]] = 1
        }
    may["cli", "lib"] = 0 # not by include
  }
  {
    split ($1, path, "/")
    from = path[1] == "libocispec" ? "ocispec" : path[2]
    to = $3
    if (index (to, "..") > 0)
      { print $1 ":" $2 ": #include \"" to "\": no way upward"; bad = 1 }
    if (index (to, "/") == 0)
      next # its own folder, config.h, or tare.h
    sub (/^src\//, "", to)
    sub (/^lib/, "", to)
    sub (/\/.*/, "", to)
    if ($3 ~ /^lib\//)
      to = "lib"
    if (!(to in known) || (from != to && !may[from, to]))
      { print $1 ":" $2 ": #include \"" $3 "\": " from " may not use " to; bad = 1 }
    lines++
  }
  END { print lines + 0 " #include lines"; exit bad }' <<<"$includes_found" || bad=1

# ---- symbols ------------------------------------------------------------------------------------
cd "$objects"
# tare-init and a tare that is linked with musl have their own objects of the library; those of
# libtare tell the same. src/musl has names of the C library.
mapfile -t object_files < <(
  find src libocispec -name '*.o' ! -name 'tests_tare_faults-*' ! -name 'lib*_a-*' ! -path 'src/musl/*' 2>/dev/null | sort
  find init-objects/src/init -name '*.o' 2>/dev/null | sort
)
edges=$(nm -A -g --format=posix "${object_files[@]}" | awk '
  # "src/sys/file.o: sys_open T 0 1f", "src/host/a.o: sys_open U"
  {
    file = $1
    sub (/:$/, "", file)
    sub (/^init-objects\//, "", file)
    sub (/\/tare-/, "/", file)
    sub (/\.o$/, "", file)
  }
  $3 == "U" || $3 == "w" { used[file, $2] = 1; next }
  { defined[$2] = file }
  END {
    for (key in used)
      {
        split (key, part, SUBSEP)
        symbol = part[2]
        if (symbol in defined && defined[symbol] != part[1])
          print part[1], defined[symbol], symbol
      }
  }' | sort)
awk -v layers="$layers" '
  function folder (file,   path) {
    split (file, path, "/")
    return path[1] == "libocispec" ? "ocispec" : path[2]
  }
  BEGIN {
    n = split (layers, line, "\n")
    for (i = 1; i <= n; i++)
      if (split (line[i], part, ":") == 2)
        {
          m = split (part[2], uses, " ")
          for (j = 1; j <= m; j++)
            may[part[1], uses[j]] = 1
        }
  }
  NF == 3 {
    edges++
    from = folder ($1)
    to = folder ($2)
    if (from != to && !may[from, to])
      { print $1 ".c uses " $3 " () of " $2 ".c: " from " may not use " to; bad = 1 }
    else if (from == "cli" && to == "lib" && $3 !~ /^tare_/)
      { print $1 ".c uses " $3 " (), which include/tare.h does not declare"; bad = 1 }
  }
  END { print edges + 0 " uses of symbols"; exit bad }' <<<"$edges" || bad=1

# ---- cycles between files -----------------------------------------------------------------------
cycles=$(awk 'NF == 3 { print $1, $2 }' <<<"$edges" | sort -u | tsort 2>&1 >/dev/null) || {
  echo 'files that need each other:'
  # Every use between two files of the same circle, with the symbols.
  awk 'NR == FNR { if ($2 ~ /\// && NF == 2) member[$2] = 1; next }
    ($1 in member) && ($2 in member) { text[$1 " -> " $2] = text[$1 " -> " $2] " " $3 }
    END { for (pair in text) print "  " pair ":" text[pair] }' \
    <(echo "$cycles") <(echo "$edges") | sort
  bad=1
}
echo "${#object_files[@]} objects"
[ "$bad" -eq 0 ] && [ "${#object_files[@]}" -gt 0 ]
