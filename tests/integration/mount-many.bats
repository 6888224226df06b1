#!/usr/bin/env bats
# Two thousand mounts in one config. What they cost is counted in system calls, of all processes of
# the runtime, which no load of the machine changes.

load helpers
load inside

# run_many N: a container with N mounts more, of four kinds as many each, under strace; $calls is how
# many system calls that took the runtime and init together, up to the execution of the program.
run_many() {
  config '.mounts = $base[0].mounts + [{destination: "/m", type: "tmpfs", source: "t"}]
    + [range ($n / 4) | tostring
       | {destination: "/m/tmpfs-\(.)", type: "tmpfs", source: "t", options: ["nosuid", "size=4k"]},
         {destination: "/m/bind-\(.)", type: "bind", source: "volume", options: ["rbind", "ro"]},
         {destination: "/m/file-\(.)", type: "bind", source: "file", options: ["bind", "nodev"]},
         {destination: "/m/tmpfs-\(.)/below", type: "bind", source: "volume", options: ["bind", "private"]}]' \
    --argjson n "$1" --slurpfile base "$BUNDLE/base.json"
  run traced -f -qq -e signal=none -o "$BUNDLE/trace" -- \
    "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_success
  assert_output "$1"
  # those that strace shows in two parts have "resumed" in the second
  sed -n '/execve[^ ]*(.*"\/bin\/awk"/q; / resumed>/d; p' "$BUNDLE/trace" >"$BUNDLE/setup"
  calls=$(wc -l <"$BUNDLE/setup")
}

reads_mountinfo() {
  grep -E 'mountinfo|/mounts"|listmount|statmount' "$1"
}

@test "two thousand: each costs the same number of calls as of five hundred, and nobody reads mountinfo" {
  make_bundle awk '$5 ~ "^/m/" { n++ } END { print n + 0 }' /proc/self/mountinfo
  mkdir "$BUNDLE/volume"
  touch "$BUNDLE/file"
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  local calls first second third
  run_many 500
  first=$calls
  run_many 1000
  second=$calls
  run_many 2000
  third=$calls
  echo "500: $first, 1000: $second, 2000: $third" >&2
  [ $((second - first)) -gt $((500 * 5)) ] # else they were not counted
  # twice as many more; 1 % for the memory and the reading of a larger config, in large pieces
  local more=$((third - second - 2 * (second - first)))
  [ $((100 * ${more#-})) -lt $((third - second)) ] || fail_with "$more calls more"
  ! reads_mountinfo "$BUNDLE/setup" || fail_with "mountinfo is read"
  # the control: the program of the container does
  reads_mountinfo "$BUNDLE/trace"
}
