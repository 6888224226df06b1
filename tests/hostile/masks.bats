#!/usr/bin/env bats
# Masked paths: in force, or no container (CVE-2025-31133).

load hostile

# The test's bundle masks these paths too.
mask() {
  config '.linux.maskedPaths += $paths' --argjson paths "$(jq -n '$ARGS.positional' --args "$@")"
}

@test "T20, T21: /dev/null of the image is not what masks: a link, missing, a file, another device" {
  local kind
  for kind in link missing file zero; do
    new_bundle sh -c 'stat -c %t:%T /file; cat /file; (: >>/proc/sys/kernel/core_pattern) 2>/dev/null || echo no'
    echo secret >"$BUNDLE/rootfs/file"
    mkdir "$BUNDLE/rootfs/dev"
    case $kind in
      link) ln -s /proc/sys/kernel/core_pattern "$BUNDLE/rootfs/dev/null" ;;
      file) echo text >"$BUNDLE/rootfs/dev/null" ;;
      zero) mknod "$BUNDLE/rootfs/dev/null" c 1 5 ;;
    esac
    config '.mounts |= map (select (.destination | startswith ("/dev") | not))'
    mask /file
    watch
    run_it
    assert_untouched "$kind"
    if [ "$status" -eq 0 ]; then
      [[ $output == *$'1:3\nno' ]] || fail_with "$kind"
      [[ $output != *secret* ]] || fail_with "$kind"
    else
      assert_refused
    fi
  done
}

@test "T22: masks through links, '..' and twice: inside, in force, and linear" {
  make_bundle sh -c 'cat /file /other/file; ls -A /directory; stat -c %t:%T /file /other/file'
  mkdir -p "$BUNDLE/rootfs/other" "$BUNDLE/rootfs/directory" "$BUNDLE/rootfs$OUT"
  echo secret | tee "$BUNDLE/rootfs/file" >"$BUNDLE/rootfs/other/file"
  echo secret >"$BUNDLE/rootfs/directory/secret"
  ln -s "$OUT/dir" "$BUNDLE/rootfs/out"
  ln -s /other "$BUNDLE/rootfs/link"
  ln -s ../../../../directory "$BUNDLE/rootfs/up"
  mask /out/secret /link/file /up /../../file /file /file/ /missing /missing/x /file/below /directory
  config '.linux.maskedPaths += [range (2000) | "/file"]'
  watch
  run_it
  assert_untouched
  assert_success
  assert_output $'1:3\n1:3'
}

@test "T23: a path that cannot be looked at in a user namespace: refused" {
  only_tare
  make_bundle true
  chown -R 100000:100000 "$BUNDLE/rootfs"
  mkdir -p "$BUNDLE/rootfs/closed/secret"
  chmod 000 "$BUNDLE/rootfs/closed" # of root, whom the namespace does not know
  chmod 711 "$WORK"
  config '.linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
    | .linux.gidMappings = .linux.uidMappings'
  run_it
  assert_success
  mask /closed/secret
  run_it
  assert_refused "'/closed/secret': open it: Permission denied"
}

# without_effect CALL N: the Nth CALL, or with N+ each from it on, seems to succeed and does nothing.
without_effect() {
  run --separate-stderr traced -f -o "$BUNDLE/trace" -e "trace=$1" -e "inject=$1:retval=0:when=$2" \
    "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
}

@test "a mask or a read-only path that has no effect though the calls succeed is found out" {
  only_tare
  make_bundle true
  mkdir "$BUNDLE/rootfs/directory" "$BUNDLE/rootfs/kept"
  touch "$BUNDLE/rootfs/file" "$BUNDLE/rootfs/directory/secret"
  config '.mounts |= map (select (.destination == "/proc")) | .root.readonly = false
    | .linux.readonlyPaths = ["/kept"] | .linux.maskedPaths = ["/file", "/directory"]'
  local n calls
  without_effect move_mount 100 # never: the control
  assert_success
  calls=$(grep -c 'move_mount(' "$BUNDLE/trace")
  [ "$calls" -eq 5 ] || fail_with "$calls mounts, not the root, /proc and three paths"
  for n in 3 4 5; do
    without_effect move_mount $n
    assert_refused "linux."
    [[ $stderr == *"': the mask is not in force"* || $stderr == *"/kept': it did not get read-only"* ]] ||
      fail_with "$n"
  done
  without_effect mount_setattr 1+
  assert_refused "/kept': it did not get read-only"
}
