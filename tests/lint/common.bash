# For the checks of this folder: where things are, and what a source is.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C

top_srcdir=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir/build}
# shellcheck disable=SC2034
lint_dir=$top_srcdir/tests/lint

# The flags of every check that compiles or parses.
# shellcheck disable=SC2034
includes=(-iquote "$top_srcdir/src" -iquote "$top_srcdir" -iquote "$top_builddir"
  -I"$top_srcdir/include")

# Product sources, relative to top_srcdir: what is installed or linked into it.
product_files() {
  (cd "$top_srcdir" && find src libocispec include -type f -name "*.[$1]" | sort)
}

# Test sources.
test_files() {
  (cd "$top_srcdir" && find tests -type f -name "*.[$1]" ! -name "LIST.*" | sort)
}

need() {
  local tool
  for tool; do
    command -v "$tool" >/dev/null || {
      echo "$tool is missing: sudo ./quickstart.sh test installs it" >&2
      exit 1
    }
  done
}
