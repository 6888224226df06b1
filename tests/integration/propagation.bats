#!/usr/bin/env bats
# Mounts of the container on a host whose mounts are shared, as with systemd.

load helpers

setup_file() {
  file_begin
}

teardown_file() {
  file_end
}

setup() {
  test_begin
}

teardown() {
  test_end
}

# on_shared COMMAND: in a mount namespace of our own, whose mounts are all shared.
on_shared() {
  unshare --mount --propagation shared bash -c "$1" 3>&-
}

# A volume without options, with a file mounted on a file of it.
mount_on_volume() {
  make_bundle grep volume /proc/self/mountinfo
  mkdir -p "$BUNDLE/volume"
  touch "$BUNDLE/volume/file"
  config '.mounts += [
    {destination: "/mnt", type: "bind", source: "\($b)/volume", options: ["rbind"]},
    {destination: "/mnt/file", type: "bind", source: "\($b)/config.json", options: ["bind"]}] |
    if $p == "" then del(.linux.rootfsPropagation) else .linux.rootfsPropagation = $p end' \
    --arg b "$BUNDLE" --arg p "$1"
}

@test "what is mounted on a bind mount stays in the container" {
  local propagation
  for propagation in '' private rprivate slave rslave; do
    rm -rf "$BUNDLE"
    mount_on_volume "$propagation"
    run on_shared "'$RUNTIME' --root '$ROOT' run --bundle '$BUNDLE' '$ID' && echo === &&
      ! grep volume/file /proc/self/mountinfo && rm '$BUNDLE/volume/file'"
    [ "$status" -eq 0 ] || { echo "'$propagation': $output"; return 1; }
    [[ $output == *' /mnt '* ]]
  done
}

@test "a mount that the host makes later is seen with slave, which is the default, not with private" {
  local propagation
  for propagation in '' rslave rprivate; do
    rm -rf "$BUNDLE"
    make_bundle sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do
      [ ! -e /mnt/later/seen ] || break; sleep 0.1; done; ls /mnt/later'
    mkdir -p "$BUNDLE/volume/later"
    config '.mounts += [{destination: "/mnt", type: "bind", source: "\($b)/volume",
      options: ["rbind"]}] |
      if $p == "" then del(.linux.rootfsPropagation) else .linux.rootfsPropagation = $p end' \
      --arg b "$BUNDLE" --arg p "$propagation"
    run on_shared "'$RUNTIME' --root '$ROOT' create --bundle '$BUNDLE' '$ID' </dev/null >'$BUNDLE/out' 2>&1 &&
      mount -t tmpfs tmpfs '$BUNDLE/volume/later' && touch '$BUNDLE/volume/later/seen' &&
      '$RUNTIME' --root '$ROOT' start '$ID' && sleep 1.5 && umount -l '$BUNDLE/volume/later'"
    [ "$status" -eq 0 ] || { echo "'$propagation': $output"; cat "$BUNDLE/out"; return 1; }
    if [ "$propagation" = rprivate ]; then
      [ ! -s "$BUNDLE/out" ]
    else
      [ "$(cat "$BUNDLE/out")" = seen ]
    fi
    rt delete --force "$ID"
  done
}
