# Containers whose control group may be written from inside, and whose it is then.
# shellcheck shell=bash disable=SC2154

# A bundle of a container that may write below /sys/fs/cgroup, with ids of its own.
make_writable_bundle() {
  make_bundle "$@"
  chown -R 100000:200000 "$BUNDLE/rootfs"
  config '.linux.namespaces |= map (select (.type != "cgroup")) + [{type: "cgroup"}, {type: "user"}]
          | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}, {containerID: 1000, hostID: 300000, size: 5}]
          | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]
          | (.mounts[] | select (.destination == "/sys/fs/cgroup") | .options) -= ["ro"]'
}

# Of the container's groups, what belongs to somebody else than root: uids and names; a group is ".".
given() {
  local group
  for group in $(cgroups_of "$ID"); do
    (cd "$group" && find . -maxdepth 1 ! -user root -printf '%U %f\n')
  done | sort
}

# What ought to be: uid OWNER has the group, and of the files on the input those that are there.
owned() {
  local owner=$1 group file
  group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of "$ID")/cgroup")
  {
    echo "$owner ."
    while read -r file; do
      [ ! -e "$group/$file" ] || echo "$owner $file"
    done
  } | sort
}

begin() {
  create "$@" || fail_with "$(cat "$BUNDLE/err")"
}
