#!/usr/bin/env bats
# What a person or a manager reads when a container cannot be: the exact words, on stderr and in the
# log, and the exit status; create, run and start. Nothing is left.

load helpers
load inside

# bats wants to know of a 127 beforehand; the others end with 1.
expected() {
  if is_tare && [ "$1" -eq 127 ]; then echo 127; fi
}

# says STATUS TEXT: create and run fail so; the line is exactly TEXT, and so is the log's record
says() {
  local wanted=$1 text=$2 verb
  for verb in create run "run --detach"; do
    rm -f "$WORK/log.json"
    # shellcheck disable=SC2086
    EXPECT=$(expected "$wanted") run_rt --log "$WORK/log.json" --log-format json $verb --bundle "$BUNDLE" "$ID" </dev/null
    if is_tare; then
      [ "$status" -eq "$wanted" ] || fail_with "$verb: status $status, wanted $wanted"
      [ "$stderr" = "tare: $text" ] || fail_with "$verb: not: tare: $text"
      [ "$(jq -rs 'length as $n | .[0] | "\($n) \(.level) \(.msg)"' "$WORK/log.json")" = "1 error $text" ] ||
        fail_with "$verb: log: $(cat "$WORK/log.json")"
    else
      [ "$status" -ne 0 ] || fail_with "$verb succeeds"
      rt delete --force "$ID" 2>/dev/null || true
    fi
    assert_nothing_left
    [ -z "$(processes_of "$BUNDLE")" ] || fail_with "a process was left"
  done
}

# ---- the root ------------------------------------------------------------------------------------

@test "root: missing, a file, a link to nowhere, a loop of links" {
  make_bundle true
  mv "$BUNDLE/rootfs" "$BUNDLE/elsewhere"
  says 1 "root.path: the rootfs path '$BUNDLE/rootfs': No such file or directory"
  touch "$BUNDLE/rootfs"
  says 1 "root.path: the rootfs path '$BUNDLE/rootfs': Not a directory"
  rm "$BUNDLE/rootfs"
  ln -s nowhere "$BUNDLE/rootfs"
  says 1 "root.path: the rootfs path '$BUNDLE/rootfs': No such file or directory"
  ln -sfn rootfs "$BUNDLE/rootfs"
  says 1 "root.path: the rootfs path '$BUNDLE/rootfs': Too many levels of symbolic links"
}

@test "root: the host's own root is none" {
  only_tare
  make_bundle true
  rm -r "$BUNDLE/rootfs"
  local path
  for path in / /. "/tmp/.."; do
    config '.root.path = $path' --arg path "$path"
    run_rt run --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 "root.path"
    assert_nothing_left
  done
  ln -s / "$BUNDLE/rootfs"
  config '.root.path = "rootfs"'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "root"
  assert_nothing_left
}

# ---- the program ---------------------------------------------------------------------------------

@test "program: not in PATH, no such path, below a file: 127" {
  make_bundle nonesuch
  # shellcheck disable=SC2016
  says 127 'exec: `nonesuch`: executable file not found in $PATH: no such file or directory'
  config '.process.args = ["/bin/nonesuch"]'
  says 127 'exec: `/bin/nonesuch`: no such file or directory'
  config '.process.args = ["/bin/busybox/x"]'
  says 127 'exec: `/bin/busybox/x`: no such file or directory (not a directory)'
  config '.process.args = ["sh"] | .process.env = ["PATH="]'
  # shellcheck disable=SC2016
  says 127 'exec: `sh`: executable file not found in $PATH: no such file or directory'
}

@test "program: not executable, a directory, a FIFO, a link to itself: 126, 1" {
  make_bundle /plain
  echo 'echo no' >"$BUNDLE/rootfs/plain"
  says 126 'exec: `/plain`: permission denied'
  config '.process.args = ["/bin"]'
  says 126 'exec: `/bin`: is a directory: permission denied'
  mkfifo -m 755 "$BUNDLE/rootfs/fifo"
  config '.process.args = ["/fifo"]'
  if is_tare; then # the peer creates such a container
    says 126 'exec: `/fifo`: not a regular file: permission denied'
  fi
  chmod 755 "$BUNDLE/rootfs/plain"
  config '.process.args = ["plain"] | .process.env = ["PATH=/bin:/"] | .process.user.uid = 1000'
  chmod 700 "$BUNDLE/rootfs/plain"
  says 126 'exec: `plain`: permission denied'
}

# The kernel alone knows: start says it.
@test "program: a missing interpreter, no program at all" {
  make_bundle /script
  printf '#!/no/such/interpreter\n' >"$BUNDLE/rootfs/script"
  printf 'neither\n' >"$BUNDLE/rootfs/nonsense"
  chmod 755 "$BUNDLE/rootfs/script" "$BUNDLE/rootfs/nonsense"
  local name wanted text
  while IFS='|' read -r name wanted text; do
    config '.process.args = [$name]' --arg name "/$name"
    create
    EXPECT=$(expected "$wanted") run_rt start "$ID"
    if is_tare; then
      [ "$status" -eq "$wanted" ] || fail_with "status"
      [ "$stderr" = "tare: $text" ] || fail_with "not: tare: $text"
    fi # the peer's start succeeds
    wait_until 5 has_status "$ID" stopped
    rt delete "$ID"
    EXPECT=$(expected "$wanted") run_rt run --bundle "$BUNDLE" "$ID" </dev/null
    ! is_tare || { [ "$status" -eq "$wanted" ] && [ "$stderr" = "tare: $text" ]; } || fail_with "run"
    assert_nothing_left
  done <<'ROWS'
script|127|exec: `/script`: no such file or directory (missing dynamic library or interpreter?)
nonsense|126|exec: `/nonsense`: exec format error
ROWS
}

@test "program: no args; empty args; empty string" {
  only_tare
  make_bundle true
  config '.process.args = []'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -ne 0 ]
  [ "${#stderr_lines[@]}" -eq 1 ]
  config '.process.args = [""]'
  says 127 'exec: ``: no such file or directory'
  assert_nothing_left
}

# ---- the working directory -----------------------------------------------------------------------

@test "cwd: a file, relative, one that nobody may make" {
  make_bundle true
  config '.process.cwd = "/bin/busybox"'
  says 1 "process.cwd: chdir '/bin/busybox': Not a directory"
  only_tare
  config '.process.cwd = "bin"'
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "process.cwd"
  config '.process.cwd = "/not/there"' # the root is read-only
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$status" -eq 0 ] || assert_error 1 "process.cwd"
  assert_nothing_left
}

@test "T34: cwd: by a descriptor of the runtime's, by a magic link, out of the root" {
  make_bundle pwd
  local n path
  for n in 3 4 5 6 7 8 9 10 12 15 20 30 63; do
    config '.process.cwd = $path' --arg path "/proc/self/fd/$n"
    run bash -c 'exec 7</ 8</etc 9</tmp 10<"$4"; exec "$1" --root "$2" run --bundle "$4" "$3" </dev/null' - \
      "$RUNTIME" "$ROOT" "$ID" "$BUNDLE" 3>&-
    [ "$status" -ne 0 ] || [ "$output" = "/proc/self/fd/$n" ] || fail_with "fd $n: it got somewhere"
  done
  mkdir -p "$BUNDLE/rootfs/inside"
  ln -s ../../../../inside "$BUNDLE/rootfs/out"
  config '.process.cwd = "/out"'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output /inside
}

# ---- ids -----------------------------------------------------------------------------------------

@test "an id that is taken by a running container: it goes on" {
  make_bundle sh -c 'while :; do echo tick; sleep 0.1; done'
  create
  rt start "$ID"
  local pid before verb
  pid=$(pid_of "$ID")
  before=$(rt state "$ID")
  for verb in create run "run --detach"; do
    rm -f "$WORK/log.json"
    # shellcheck disable=SC2086
    run_rt --log "$WORK/log.json" --log-format json $verb --bundle "$BUNDLE" "$ID" </dev/null
    [ "$status" -eq 1 ]
    if is_tare; then
      [ "$stderr" = "tare: container \`$ID\` already exists" ] || fail_with "$verb"
      assert_one_record "$WORK/log.json" "container \`$ID\` already exists"
    fi
  done
  [ "$(rt state "$ID")" = "$before" ]
  local ticks
  ticks=$(wc -l <"$BUNDLE/out")
  more() {
    [ "$(wc -l <"$BUNDLE/out")" -gt "$ticks" ]
  }
  wait_until 5 more
  [ -d "/proc/$pid" ]
  rt delete --force "$ID"
  assert_nothing_left
}
