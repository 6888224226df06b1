#!/usr/bin/env bats
# Mounts of the container on a host whose mounts are shared, as with systemd.

load helpers

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

# ---- each value, by what it does -----------------------------------------------------------------

# probe NAME PLACE-ON-HOST PLACE-INSIDE COPY: words of what is so of a mount of the container that
# runs. It makes mounts on both sides, and looks from both. The words begin with NAME, then:
#   from-host  a mount of the host's in PLACE-ON-HOST is seen inside
#   copied     PLACE-INSIDE can be bind-mounted, as COPY
#   peers      a mount that is made in PLACE-INSIDE is seen in COPY too
#   to-host    and on the host
probe_script() {
  cat <<'PROBE'
set -e
rt() { "$RUNTIME" --root "$ROOT" "$@"; }
inside() { rt exec "$ID" sh -c "$1" 2>/dev/null; }
probe() {
  mount -t tmpfs tmpfs "$2/later"
  touch "$2/later/seen"
  ! inside "test -e $3/later/seen" || echo "${1}from-host"
  umount -l "$2/later"
  if inside "mount --bind $3 $4"; then
    echo "${1}copied"
  fi
  inside "mount -t tmpfs tmpfs $3/made && touch $3/made/seen"
  ! inside "test -e $4/made/seen" || echo "${1}peers"
  ! test -e "$2/made/seen" || echo "${1}to-host"
}
mount -t tmpfs tmpfs "$BUNDLE/volume"
mkdir "$BUNDLE"/volume/{later,made,below}
mount -t tmpfs tmpfs "$BUNDLE/volume/below"
mkdir "$BUNDLE"/volume/below/{later,made}
rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/out" 2>&1
PROBE
}

# A container that may mount, and what it may mount on.
probe_begin() {
  make_bundle sleep 1000
  mkdir -p "$BUNDLE/volume" "$BUNDLE/rootfs"/{later,made,copy,sub/later,sub/made,sub-copy,volume,volume-copy,below-copy}
  config '.root.readonly = false | .process.capabilities |= map_values (. + ["CAP_SYS_ADMIN"])'
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  export RUNTIME ROOT ID BUNDLE
}

# assert_probes WANTED PROBES: of the container of $BUNDLE, on a host whose mounts are all shared,
# volume and volume/below among them.
assert_probes() {
  run on_shared "$(probe_script)
    $2
    rt delete --force '$ID'" </dev/null
  [ "$status" -eq 0 ] || { cat "$BUNDLE/out" >&2; fail_with "the probe failed"; }
  [ "${output//$'\n'/ }" = "$1" ] || fail_with "wanted: $1"
}

@test "rootfsPropagation: each of the eight values, by what the host and the container see of each other" {
  probe_begin
  local value wanted
  while read -r value wanted; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.mounts += [
        {destination: "/sub", type: "bind", source: "rootfs/sub", options: ["bind", "private"]},
        {destination: "/volume", type: "bind", source: "volume", options: ["rbind"]}]
      | if $value == "none" then del (.linux.rootfsPropagation) else .linux.rootfsPropagation = $value end' \
      --arg value "$value"
    # runc gives the root no peers, and cannot do unbindable
    is_tare || [[ $value == *private || $value == *slave ]] || continue
    assert_probes "$wanted" "probe '' '$BUNDLE/rootfs' / /copy
      probe sub- '$BUNDLE/rootfs/sub' /sub /sub-copy
      probe volume- '$BUNDLE/volume' /volume /volume-copy" || { echo "$value"; return 1; }
  done <<'TABLE'
none from-host copied sub-copied volume-from-host volume-copied
private copied sub-copied volume-from-host volume-copied volume-peers volume-to-host
rprivate copied sub-copied volume-copied
slave from-host copied sub-copied volume-from-host volume-copied volume-peers volume-to-host
rslave from-host copied sub-copied volume-from-host volume-copied
shared copied peers sub-copied volume-from-host volume-copied volume-peers volume-to-host
rshared copied peers sub-copied sub-peers volume-from-host volume-copied volume-peers volume-to-host
unbindable sub-copied volume-from-host volume-copied volume-peers volume-to-host
runbindable
TABLE
}

@test "a mount's own propagation: each of the eight options, and two together, the same way" {
  probe_begin
  local options wanted
  while read -r options wanted; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.mounts += [{destination: "/volume", type: "bind", source: "volume",
        options: ("rbind," + $options | split (","))}]
      | .linux.rootfsPropagation = "shared"' --arg options "$options"
    assert_probes "$wanted" "probe '' '$BUNDLE/volume' /volume /volume-copy
      probe below- '$BUNDLE/volume/below' /volume/below /below-copy" || { echo "$options"; return 1; }
  done <<'TABLE'
private copied below-from-host below-copied below-peers below-to-host
rprivate copied below-copied
slave from-host copied below-from-host below-copied below-peers below-to-host
rslave from-host copied below-from-host below-copied
shared from-host copied peers to-host below-from-host below-copied below-peers below-to-host
rshared from-host copied peers to-host below-from-host below-copied below-peers below-to-host
unbindable below-from-host below-copied below-peers below-to-host
runbindable
rslave,shared from-host copied peers below-from-host below-copied
rslave,rshared from-host copied peers below-from-host below-copied below-peers
slave,rshared from-host copied peers below-from-host below-copied below-peers below-to-host
shared,rslave from-host copied below-from-host below-copied
rprivate,slave copied below-copied
runbindable,private copied
TABLE
}
