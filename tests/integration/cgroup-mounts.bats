#!/usr/bin/env bats
# Mounts of type cgroup, looked at from inside, in each layout of the host's.
# views: v1 v2

load helpers
load inside
load groups

setup() {
  test_begin
  make_bundle true
}

# What the container says, in $mounts and $groups, and of SCRIPT in $said.
see() {
  inside "cat /proc/self/mountinfo; echo ===; cat /proc/self/cgroup; echo ===; ${1:-:}"
  mounts=$(mounts <<<"${output%%$'\n'===*}")
  groups=${output#*===$'\n'}
  said=${groups#*===}
  groups=${groups%%===*}
}

# The v1 hierarchies that the host shows, one a line: CONTROLLERS DIRECTORY-NAME
hierarchies() {
  awk '$5 ~ "^/sys/fs/cgroup/" { for (i = 7; $i != "-"; i++); }
    $5 ~ "^/sys/fs/cgroup/" && $(i + 1) == "cgroup" { sub (".*/", "", $5); print $5 }' /proc/self/mountinfo
}

# The path of the container's group in the hierarchy called NAME, from /proc/self/cgroup in $groups.
path_in() {
  awk -F: -v name="$1" '$2 == name || $2 == "name=" name { print $3 }' <<<"$groups"
}

assert_flags() {
  local option options
  options=$(mount_column "$1" 5)
  for option in "$2" nosuid nodev noexec; do
    has_option "$options" "$option" || fail_with "$1 lacks $option"
  done
}

@test "with and without a namespace, ro and rw: whose groups are shown, and what can be done to them" {
  local namespace access mounts groups said name point path shows
  for namespace in with without; do
    for access in ro rw; do
      cgroup_config $namespace $access
      see 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do
          g=$d; s=$(grep -m 1 "^0::" /proc/self/cgroup); [ -e /sys/fs/cgroup/cgroup.controllers ] && g=$d${s#0::}
          [ -e $g/cgroup.procs ] || continue
          # on v2, only the own group
          [ $d = /sys/fs/cgroup ] || [ ! -e /sys/fs/cgroup/cgroup.controllers ] || continue
          grep -qx $$ $g/cgroup.procs && echo "in ${d##*/}"
          mkdir $g/made 2>/dev/null && rmdir $g/made && echo "wrote ${d##*/}"
        done; true'
      if is_v2; then
        [ "$(mount_column /sys/fs/cgroup 2)" = cgroup2 ]
        [ "$(mount_column /sys/fs/cgroup 4)" = / ]
        assert_flags /sys/fs/cgroup $access
        [[ $said == *"in cgroup"* ]] || fail_with "$namespace: the own group is not there"
        [ $access = ro ] || [[ $said == *"wrote cgroup"* ]] || fail_with "$namespace: nothing can be made"
      else
        [ "$(mount_column /sys/fs/cgroup 2)" = tmpfs ]
        assert_flags /sys/fs/cgroup $access
        diff <(hierarchies | sort) <(awk '$2 == "cgroup" { sub (".*/", "", $1); print $1 }' <<<"$mounts" | sort) >&2
        for name in $(hierarchies); do
          point=/sys/fs/cgroup/$name
          assert_flags "$point" $access
          shows=$(mount_column "$point" 6)
          has_option "$shows" "${name%%,*}" || has_option "$shows" "name=$name" || fail_with "$name shows another"
          path=$(path_in "$name")
          [ $namespace = with ] || [[ $path == */$ID ]] || fail_with "$name: $path"
          [ "$(mount_column "$point" 4)" = "$path" ] || fail_with "$name: not the own group"
          [[ $'\n'$said$'\n' == *$'\n'"in $name"$'\n'* ]] || fail_with "$name: somebody else's group"
          # a cpuset without cpus has no children
          [ $access = ro ] || [ "$name" = cpuset ] || [[ $said == *"wrote $name"* ]] || fail_with "$name: nothing can be made"
        done
      fi
      [ $access = rw ] || [[ $said != *wrote* ]] || fail_with "$namespace: it can be written to"
    done
  done
}

@test "a user namespace: the same mounts, and nobody of it may write where it is not delegated" {
  local namespace mounts groups said
  chmod 755 "$WORK"
  chown -R 100000:100000 "$BUNDLE/rootfs"
  config '.linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
  for namespace in with without; do
    cgroup_config $namespace rw
    see 'for d in /sys/fs/cgroup/*/ /sys/fs/cgroup/; do
      [ ! -e $d/cgroup.procs ] || ! mkdir $d/made 2>/dev/null || echo "made $d"; done'
    if is_v2; then
      [ "$(mount_column /sys/fs/cgroup 2)" = cgroup2 ]
    else
      diff <(hierarchies | sort) <(awk '$2 == "cgroup" { sub (".*/", "", $1); print $1 }' <<<"$mounts" | sort) >&2
    fi
    assert_flags /sys/fs/cgroup rw
    if is_v2 && [ $namespace = with ]; then # config-linux.md "Cgroup ownership"
      [[ $said == *"made /sys/fs/cgroup/"* ]] || fail_with "its group is not its own"
    else
      [[ $said != *made* ]] || fail_with "it may write"
    fi
  done
}

@test "another destination; no options; none with --cgroup-manager=disabled" {
  local mounts groups said
  config '(.mounts[] | select (.type == "cgroup")) |= (.destination = "/groups" | .options = ["nosuid", "noexec", "nodev", "rw"])'
  see
  [ "$(awk '$2 ~ "^cgroup" && $1 !~ "^/groups"' <<<"$mounts")" = "" ]
  [[ $(mount_column /groups 2) == @(cgroup2|tmpfs) ]]
  assert_flags /groups rw
  only_tare
  config '(.mounts[] | select (.type == "cgroup")) |= (.destination = "/sys/fs/cgroup" | del (.options))'
  see
  assert_flags /sys/fs/cgroup ro
  # which group would be its own is not known then
  run_rt --cgroup-manager disabled run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  [[ $output != *" - cgroup"* ]] || fail_with "groups are shown"
}
