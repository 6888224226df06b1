#!/usr/bin/env bats
# Bind mounts: of what, onto what, through which links; what is made for them and what is refused.

load helpers
load inside

# bind SOURCE DESTINATION OPTION...
bind() {
  config '.mounts += [{source: $s, destination: $d, type: "bind", options: ($o | split (" "))}]' \
    --arg s "$1" --arg d "$2" --arg o "${*:3}"
}

@test "files, directories, sockets, devices; from the bundle; what is missing is made" {
  make_bundle sh
  mkdir -p "$BUNDLE/in/dir"
  echo file >"$BUNDLE/in/file"
  echo below >"$BUNDLE/in/dir/below"
  "$(tool recvtty)" "$BUNDLE/in/socket" "$BUNDLE/name" </dev/null >/dev/null 2>&1 3>&- &
  local listener=$!
  wait_until 30 test -S "$BUNDLE/in/socket"
  mkfifo "$BUNDLE/in/fifo"
  touch "$BUNDLE/rootfs/here"
  bind in/file /made/deep/file bind
  bind in/dir /made/dir rbind
  bind in/socket /made/socket bind
  bind in/fifo /made/fifo bind
  bind in/file /here bind ro
  bind "$BUNDLE/in/../in/dir" /made/deep/dots bind
  bind /dev/zero /made/zero bind
  inside 'cat /made/deep/file /made/dir/below /here /made/deep/dots/below
    test -S /made/socket && test -p /made/fifo && head -c 2 /made/zero | wc -c
    (echo x >/here) 2>&1; true'
  kill "$listener"
  wait "$listener" || true
  [ "${lines[*]:0:5}" = "file below file below 2" ]
  [[ ${lines[5]} == *Read-only* ]]
  # made as mount points: empty, with plain modes
  [ "$(stat -c '%F %a' "$BUNDLE/rootfs/made/deep/file" "$BUNDLE/rootfs/made/deep" | xargs)" = \
    "regular empty file 644 directory 755" ]
}

@test "rbind brings what is mounted below, bind does not" {
  make_bundle sh -c 'ls /deep/below /flat/below'
  mkdir -p "$BUNDLE/volume/below"
  bind volume /deep rbind
  bind volume /flat bind
  run unshare --mount --propagation private bash -c "mount -t tmpfs t '$BUNDLE/volume/below' &&
    touch '$BUNDLE/volume/below/seen' && '$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID'" 3>&-
  [ "$status" -eq 0 ]
  [ "$output" = "/deep/below:
seen

/flat/below:" ]
}

@test "copy-symlink: a link on the host is the same link inside, anything else a bind" {
  is_tare || [ "$(basename "$RUNTIME")" = crun ] || skip "runc has no copy-symlink"
  make_bundle sh
  mkdir "$BUNDLE/in"
  ln -s nowhere/at-all "$BUNDLE/in/link"
  echo file >"$BUNDLE/in/file"
  bind in/link /made/link bind copy-symlink
  bind in/file /made/file bind copy-symlink
  inside 'readlink /made/link; cat /made/file; ! grep " /made/link " /proc/self/mountinfo'
  [ "${lines[*]}" = "nowhere/at-all file" ]

  # again, and it is there already
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_success
  only_tare
  rm "$BUNDLE/rootfs/made/link"
  ln -s elsewhere "$BUNDLE/rootfs/made/link"
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/made/link': make a symbolic link to 'nowhere/at-all': File exists"
  [ "$(readlink "$BUNDLE/rootfs/made/link")" = elsewhere ]
  config '.mounts[-1].options += ["src-nofollow"]'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/made/file: copy-symlink excludes src-nofollow"
  assert_nothing_left
}

@test "src-nofollow: the link itself is mounted; dest-nofollow: over the link itself" {
  only_tare
  make_bundle sh
  mkdir "$BUNDLE/in" "$BUNDLE/rootfs/real"
  echo file >"$BUNDLE/in/file"
  echo target >"$BUNDLE/rootfs/real/file"
  ln -s /real/file "$BUNDLE/in/link"
  ln -s /real/file "$BUNDLE/rootfs/link"
  ln -s /real/file "$BUNDLE/rootfs/over"
  touch "$BUNDLE/rootfs/plain"
  bind in/link /plain bind src-nofollow
  bind in/file /over bind dest-nofollow
  inside 'readlink /plain; cat /plain /over /link /real/file'
  [ "${lines[*]}" = "/real/file target file target target" ]

  bind in/file /missing bind dest-nofollow
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "/missing': dest-nofollow wants a mount point that exists"
  [ ! -e "$BUNDLE/rootfs/missing" ]
}

@test "a link in the image as destination leads inside, as relative ones and chains do" {
  make_bundle sh
  mkdir "$BUNDLE/in" "$BUNDLE/rootfs/run"
  echo seen >"$BUNDLE/in/file"
  mkdir "$BUNDLE/rootfs/var"
  ln -s /run "$BUNDLE/rootfs/var/run"
  ln -s ../../../../etc/made "$BUNDLE/rootfs/up"
  bind in/file /var/run/file bind
  bind in /up rbind
  inside 'cat /run/file /etc/made/file'
  [ "${lines[*]}" = "seen seen" ]
  [ ! -e /etc/made ]
}

@test "what is refused, in one line that names the mount" {
  only_tare
  make_bundle true
  mkdir "$BUNDLE/in" "$BUNDLE/rootfs/dir"
  touch "$BUNDLE/in/file" "$BUNDLE/rootfs/file"
  bind x /x bind
  local row
  # SOURCE DESTINATION: MESSAGE
  for row in \
    "in/missing /m: bind source '$BUNDLE/in/missing': No such file or directory" \
    "in /file: a directory cannot be mounted over what is not a directory" \
    "in/file /dir: a file cannot be mounted over a directory" \
    "in/file /file/below: make the mount point: Not a directory" \
    "in /loop: a symbolic link is in the way"; do
    [ -L "$BUNDLE/rootfs/loop" ] || ln -s loop "$BUNDLE/rootfs/loop"
    config '.mounts[-1] |= (.source = $s | .destination = $d)' \
      --arg s "${row%% *}" --arg d "$(cut -d ' ' -f 2 <<<"${row%%:*}")"
    run_rt run --bundle "$BUNDLE" "$ID"
    if [[ $row == *below* ]]; then
      assert_error 1 "mounts[7] '/file/below': "
      assert_error 1 "Not a directory"
    else
      assert_error 1 "mounts[7] '$(cut -d ' ' -f 2 <<<"${row%%:*}")': ${row#*: }"
    fi
  done
  config 'del (.mounts[-1].source)'
  run_rt run --bundle "$BUNDLE" "$ID"
  assert_error 1 "mounts[7] /loop: a bind mount needs a source"
  assert_nothing_left
}

# A volume below a directory that only root may enter, on a mount that is read-only and nodev.
locked_volume() {
  make_bundle sh
  chmod 755 "$WORK" "$BUNDLE"
  chown -R 100000:100000 "$BUNDLE/rootfs"
  mkdir -p "$BUNDLE/closed/volume"
  config '.linux.namespaces += [{type: "user"}]
          | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
          | .linux.gidMappings = .linux.uidMappings'
}

# shellcheck disable=SC2317
run_locked() {
  unshare --mount --propagation private bash -c "mount -t tmpfs -o nodev,nosuid t '$BUNDLE/closed' &&
    mkdir '$BUNDLE/closed/volume' && echo seen >'$BUNDLE/closed/volume/file' && chmod 700 '$BUNDLE/closed' &&
    mount -o remount,ro,bind '$BUNDLE/closed' && '$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID'" 3>&-
}

@test "a user namespace: a source that its ids may not reach is opened for it; locked flags stay" {
  locked_volume
  bind closed/volume /v rbind
  bind closed/volume/file /f bind
  config '.process.args = ["sh", "-c", $script]' --arg script 'cat /v/file /f
    (echo x >/v/new) 2>&1; mount -o remount,bind,rw /v 2>/dev/null || echo locked
    cat /proc/self/mountinfo | grep " /v "'
  run run_locked
  [ "$status" -eq 0 ] || { echo "$output"; return 1; }
  [ "${lines[*]:0:2}" = "seen seen" ]
  [[ ${lines[2]} == *Read-only* ]]
  [ "${lines[3]}" = locked ]
  [[ ${lines[4]} == *ro,nosuid,nodev* ]]

  only_tare
  bind closed/volume /w rbind rw
  run run_locked
  [ "$status" -eq 1 ]
  [[ $output == *"mounts[9] '/w': the source's mount flags are locked in this user namespace: Operation not permitted" ]]
  config '.mounts[-1] |= (.options = ["bind"] | .source = "closed/missing")'
  run run_locked
  [ "$status" -eq 1 ]
  [[ $output == *"mounts[9] '/w': bind source '$BUNDLE/closed/missing': No such file or directory" ]]
  assert_nothing_left
}
