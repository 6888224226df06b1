#!/usr/bin/env bats
# What an image may put at /dev and below, where the runtime makes files of its own.

load hostile

# Nothing is mounted at /dev or below: what the image has there is met as it is.
bare_dev() {
  config '.mounts |= map (select (.destination | startswith ("/dev") | not))'
}

@test "T05, T07: /dev is a link, nothing mounted there: refused, and nothing made where it leads" {
  local target
  for target in "$OUT/dir" "../../..$OUT/dir" "../../outside/dir"; do
    new_bundle true
    ln -s "$target" "$BUNDLE/rootfs/dev"
    bare_dev
    watch
    run_it
    assert_untouched "$target"
    if is_tare; then
      assert_refused "/dev/null'"
    fi
  done
  assert_naive_escapes /dev/mark
}

@test "T06: /dev is a link, a tmpfs to be mounted there: refused, or inside" {
  make_bundle true
  ln -s "$OUT/dir" "$BUNDLE/rootfs/dev"
  watch
  run_it
  assert_untouched
  ! is_tare || assert_refused "mounts[1] '/dev'"
  assert_naive_escapes /dev/mark
}

@test "T07: /dev/pts is a link: the same" {
  make_bundle true
  mkdir "$BUNDLE/rootfs/dev"
  ln -s "$OUT/dir" "$BUNDLE/rootfs/dev/pts"
  config '.mounts |= map (select (.destination == "/dev" | not))'
  watch
  run_it
  assert_untouched
  ! is_tare || assert_refused "'/dev/pts'"
  assert_naive_escapes /dev/pts/mark
}

@test "T08: links at all that the runtime makes or opens: none is followed out" {
  make_bundle true
  local name
  mkdir -p "$BUNDLE/rootfs/dev" "$BUNDLE/rootfs/etc"
  for name in null zero full random urandom tty fd stdin stdout stderr core ptmx console mqueue shm; do
    ln -s "$OUT/dir/$name" "$BUNDLE/rootfs/dev/$name"
  done
  ln -s "$OUT/dir" "$BUNDLE/rootfs/work"
  ln -s "$OUT/secret" "$BUNDLE/rootfs/etc/passwd"
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  config '.process.cwd = "/work/new" | .root.readonly = false | del (.process.env)'
  watch
  run_it # /dev is a tmpfs: the links are below it
  assert_untouched "below a tmpfs"
  [ -d "$BUNDLE/rootfs$OUT/dir/new" ] || fail_with "cwd"
  bare_dev
  run_it
  assert_untouched "bare"
  assert_refused
  assert_naive_escapes /work/mark
}

@test "T24, T25: /dev/console, /dev/pts and /dev/ptmx of the image, and a terminal" {
  only_tare
  local kind receiver
  for kind in console-link console-file pts-link pts-ptmx none; do
    new_bundle sleep 1000
    mkdir -p "$BUNDLE/rootfs/dev"
    bare_dev
    config '.process.terminal = true'
    case $kind in
      console-link) ln -s "$OUT/secret" "$BUNDLE/rootfs/dev/console" ;;
      console-file) echo text >"$BUNDLE/rootfs/dev/console" ;;
      pts-link) ln -s "$OUT/dir" "$BUNDLE/rootfs/dev/pts" ;;
      pts-ptmx)
        mkdir "$BUNDLE/rootfs/dev/pts"
        mknod "$BUNDLE/rootfs/dev/pts/ptmx" c 1 3
        ;;
    esac
    if [[ $kind == console-* ]]; then
      config '.mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts",
        options: ["newinstance", "ptmxmode=0666"]}]'
    fi
    watch
    "$(tool recvtty)" "$BUNDLE/socket" "$BUNDLE/name" </dev/null >"$BUNDLE/tty" 2>&1 3>&- &
    receiver=$!
    wait_until 30 test -S "$BUNDLE/socket"
    run --separate-stderr timeout 60 "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" \
      --console-socket "$BUNDLE/socket" "$ID" </dev/null 3>&-
    assert_untouched "$kind"
    if [ "$kind" = console-file ]; then
      assert_success
      [[ $(stat -c '%F %t' "/proc/$(pid_of "$ID")/root/dev/console") == "character special file 88" ]]
      [ "$(cat "$BUNDLE/rootfs/dev/console")" = text ]
    else
      assert_refused
    fi
    kill "$receiver" 2>/dev/null || true
    wait "$receiver" || true
    rt delete --force "$ID"
  done
}

@test "T58: paths of devices that lead elsewhere" {
  local path
  for path in "/../../x" "/dev/../../x" "/dev/../..$OUT/x" "/link/x" "/dev/link/x" "/proc/1/x" "/sys/x" "/proc/self/attr/exec"; do
    new_bundle true
    ln -s "$OUT/dir" "$BUNDLE/rootfs/link"
    mkdir -p "$BUNDLE/rootfs/dev"
    ln -s "$OUT/dir" "$BUNDLE/rootfs/dev/link"
    bare_dev
    config '.root.readonly = false | .linux.devices = [{path: $path, type: "c", major: 1, minor: 3}]' --arg path "$path"
    watch
    run_it
    assert_untouched "$path"
    case $path in
      /proc/* | /sys/* | /dev/link/*) ! is_tare || assert_refused "linux.devices[0] '$path'" ;;
      *) assert_refused_or_done ;;
    esac
  done
  assert_naive_escapes /link/mark
}
