# The fenced blocks of the pages in docs: what a page tells its reader to type is what the tests run.
# "```sh run" is run, "```sh" and the others only read, because they would change the machine or
# need what is not here.
#
# shellcheck shell=bash

# doc_blocks PAGE INFO: the blocks of docs/PAGE that are marked so.
doc_blocks() {
  awk -v info="$2" '
    /^```/ { if (inside) inside = 0; else { inside = 1; wanted = substr ($0, 4) == info }; next }
    inside && wanted' "$TOP/docs/$1"
}

# doc_script PAGE RUNTIME: what is run of it, with that runtime in place of the installed one.
doc_script() {
  echo 'set -eu'
  doc_blocks "$1" 'sh run' | sed "s|/usr/local/bin/tare|$2|g"
}

# run_page PAGE COMMAND...: the page's commands by COMMAND, in a directory of their own, with tare
# where PATH finds it.
run_page() {
  local page=$1
  shift
  mkdir -p "$BUNDLE/bin"
  cp "$RUNTIME" "$BUNDLE/bin/tare"
  doc_script "$page" "$BUNDLE/bin/tare" >"$BUNDLE/script"
  mkdir -p "$BUNDLE/home"
  (cd "$BUNDLE/home" && PATH=$BUNDLE/bin:$PATH "$@" bash "$BUNDLE/script" 3>&-)
}
