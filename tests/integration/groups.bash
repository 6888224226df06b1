# A container's control groups seen from outside, in whatever layout the machine has.
# shellcheck shell=bash disable=SC2154

is_v2() {
  [ -e /sys/fs/cgroup/cgroup.controllers ]
}

# group_of PID CONTROLLER: the directory; nothing where there is no such controller.
group_of() {
  local directory path
  if is_v2; then
    path=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
    ! grep -qw "$2" "/sys/fs/cgroup$path/cgroup.controllers" || echo "/sys/fs/cgroup$path"
    return
  fi
  path=$(awk -F: -v wanted="$2" '{ n = split ($2, names, ",")
                                   for (i = 1; i <= n; i++) if (names[i] == wanted) print $3 }' "/proc/$1/cgroup")
  for directory in /sys/fs/cgroup/*; do
    [[ ,${directory##*/}, != *,"$2",* ]] || { echo "$directory$path"; return; }
  done
}

# group_file CONTROLLER V1FILE [V2FILE]: what it holds for container $ID.
group_file() {
  local file=$2
  ! is_v2 || file=${3:-$2}
  cat "$(group_of "$(pid_of "$ID")" "$1")/$file"
}

# has_controller NAME...: all of them, for a group like ours.
has_controller() {
  local name
  for name; do
    if is_v2; then
      grep -qw "$name" /sys/fs/cgroup/cgroup.controllers || return 1
    else
      [ -n "$(group_of self "$name")" ] || return 1
    fi
  done
}

needs_controller() {
  local name
  for name; do
    has_controller "$name" || skip "this machine's cgroups (or this view of them) have no $name controller"
  done
}

# The limits that update can change, one a line, in the words of v2: memory and swap in bytes.
limits() {
  local group limit swap
  group=$(group_of "$(pid_of "$ID")" memory)
  if is_v2; then
    limit=$(cat "$group/memory.max")
    swap=$(cat "$group/memory.swap.max" 2>/dev/null || echo none)
  else
    limit=$(cat "$group/memory.limit_in_bytes")
    swap=$(cat "$group/memory.memsw.limit_in_bytes" 2>/dev/null || echo none)
    case $swap in
      none) ;;
      9223372036854771712) swap=max ;;
      *) swap=$((swap - limit)) ;;
    esac
    [ "$limit" != 9223372036854771712 ] || limit=max
  fi
  echo "memory $limit"
  echo "swap $swap"
  echo "pids $(group_file pids pids.max)"
  if is_v2; then
    echo "cpu $(group_file cpu cpu.max)"
  else
    echo "cpu $(group_file cpu cpu.cfs_quota_us | sed 's/^-1$/max/') $(group_file cpu cpu.cfs_period_us)"
  fi
}

# cgroup_config with|without ro|rw: a cgroup namespace or none, and how it is mounted.
cgroup_config() {
  config '(.mounts[] | select (.type == "cgroup") | .options) |= (. - ["ro", "rw"] + [$access])
    | .linux.namespaces |= (map (select (.type != "cgroup"))
                            + if $namespace == "with" then [{type: "cgroup"}] else [] end)' \
    --arg namespace "$1" --arg access "$2"
}

# systemd takes a controller from the root's children again when no unit has a limit of it: in the
# guest one has, while a file looks at limits of its own.
keep_controllers() {
  [ -z "${TARE_GUEST:-}" ] || systemd-run --quiet --unit "$TAG-keeps" --property CPUWeight=50 \
    --property IOWeight=50 --property AllowedCPUs=0-1 sleep 3600
}

release_controllers() {
  [ -z "${TARE_GUEST:-}" ] || systemctl stop "$TAG-keeps"
}
