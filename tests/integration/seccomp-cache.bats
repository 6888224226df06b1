#!/usr/bin/env bats
# Compiled filters are kept below the state root, and found again by the whole profile.

load helpers

setup() {
  only_tare
  test_begin
  make_bundle sh -c 'grep -w Seccomp: /proc/self/status; mkdir /x 2>&1; sync 2>&1; uname -s >/dev/null && echo fine'
  config '.root.readonly = false'
  rm -rf "$ROOT/.seccomp"
}

# forbid CALL ERRNO
forbid() {
  config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: [$call], action: "SCMP_ACT_ERRNO", errnoRet: $errno}]}' \
    --arg call "$1" --argjson errno "$2"
}

# The container's filter forbids mkdir with EXDEV, whether it was compiled or found.
runs_with_exdev() {
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output $'Seccomp:\t2\nmkdir: can\'t create directory \'/x\': Invalid cross-device link\nfine'
}

files() {
  find "$ROOT/.seccomp" -type f 2>/dev/null | sort
}

@test "the second container finds the first one's filter" {
  forbid mkdir 18
  runs_with_exdev
  [ "$(files | wc -l)" -eq 1 ]
  [ "$(stat -c '%a %u' "$ROOT/.seccomp" "$(files)" | tr '\n' ' ')" = "700 0 600 0 " ]
  local inode
  inode=$(stat -c %i "$(files)")
  runs_with_exdev
  [ "$(stat -c %i "$(files)")" = "$inode" ]
  [ "$(rt list -q)" = "" ]
}

@test "another profile has another filter, though it finds that one in its place" {
  forbid mkdir 18
  runs_with_exdev
  local first other
  first=$(files)
  cp "$first" "$WORK/first"
  forbid mkdir 1
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [[ $output == *"Operation not permitted"* ]]
  other=$(files | grep -vxF "$first")
  [ -n "$other" ] # their hashes differ: so, by hand
  cp "$WORK/first" "$other"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [[ $output == *"Operation not permitted"* ]]
}

@test "what is damaged, a link, or open to others is not used" {
  forbid mkdir 18
  runs_with_exdev
  local file size
  file=$(files)
  size=$(stat -c %s "$file")
  truncate -s 20 "$file"
  runs_with_exdev
  [ "$(stat -c %s "$file")" -eq "$size" ]
  # as a machine that loses its power may leave it, where the state root outlives that
  truncate -s $((size - 8)) "$file"
  runs_with_exdev
  [ "$(stat -c %s "$file")" -eq "$size" ]
  # a program that lets everything pass, under this key, but writable by others
  cp "$file" "$WORK/evil"
  truncate -s $((size - 8)) "$WORK/evil"
  cp "$WORK/evil" "$file"
  chmod 666 "$file"
  runs_with_exdev
  ln -sf "$WORK/evil" "$file"
  runs_with_exdev
  rm -rf "$ROOT/.seccomp"
  ln -s "$WORK" "$ROOT/.seccomp"
  runs_with_exdev
  rm "$ROOT/.seccomp"
  touch "$ROOT/.seccomp"
  runs_with_exdev
  rm "$ROOT/.seccomp"
}

@test "a hundred profiles: 64 files at most" {
  local i
  for i in $(seq 100); do
    echo "$i"
  done >"$WORK/numbers"
  while read -r i; do
    forbid mkdir "$i"
    rt run --bundle "$BUNDLE" "$ID" </dev/null >/dev/null
  done <"$WORK/numbers"
  [ "$(files | wc -l)" -le 64 ]
  [ "$(files | wc -l)" -gt 20 ]
}
