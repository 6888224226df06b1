# What the hostile tests share: something of the host's that nobody may touch.
#
#   $OUT      a directory outside every rootfs, of which images and volumes know the name
#   watch     notes how the host is; assert_untouched compares
# shellcheck shell=bash disable=SC2154

load ../integration/helpers
load ../integration/inside

hostile_begin() {
  file_begin
  OUT=$WORK/outside
  export OUT
  mkdir -p "$OUT/dir"
  echo secret >"$OUT/secret"
  echo secret >"$OUT/dir/secret"
}
setup_file() { hostile_begin; }

# Everything that stat says of the files, the mounts, and what a container would most like to write.
host_state() {
  find "$OUT" -printf '%P %y %m %U:%G %s %T@ %C@ %l\n' | sort
  grep -F "$TAG" /proc/self/mountinfo
  cat /proc/sys/kernel/core_pattern
  sha256sum "$RUNTIME"
}

watch() {
  BEFORE=$(host_state)
}

assert_untouched() {
  diff <(echo "$BEFORE") <(host_state) >&2 || { echo "the host changed: ${1:-}" >&2; return 1; }
}

# The control: who joins root and path as text makes a file outside. PATH ends in /mark.
assert_naive_escapes() {
  : >"$BUNDLE/rootfs$1"
  [ -n "$(find "$OUT" -name mark -delete -print)" ] || fail_with "a naive program stays inside: $1"
}

# A fresh bundle in the place of the test's.
new_bundle() {
  rm -rf "$BUNDLE"
  make_bundle "$@"
}

# run, which must end by itself, within a time that nobody needs.
run_it() {
  run --separate-stderr timeout 60 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  [ "$status" -ne 124 ] || fail_with "it hangs"
}

# Either it went well, or there is one line of error and nothing left.
assert_refused_or_done() {
  if [ "$status" -ne 0 ]; then
    assert_refused "${1:-}"
  fi
}

assert_refused() {
  [ "$status" -ne 0 ] || fail_with "it went through"
  [ "${#stderr_lines[@]}" -eq 1 ] || ! is_tare || fail_with "${#stderr_lines[@]} lines on stderr"
  [[ $stderr == *"${1:-}"* ]] || ! is_tare || fail_with "stderr lacks '${1:-}'"
  assert_nothing_left
}
