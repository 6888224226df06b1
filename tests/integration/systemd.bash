# Units as systemd has them, and their groups (v2).
# shellcheck shell=bash disable=SC2154

# what the unit's properties are, one line each
shown () {
  systemctl show "$1" --property "$2"
}

# unit_is UNIT LOADSTATE
unit_is () {
  [ "$(shown "$1" LoadState)" = "LoadState=$2" ]
}

group_of () {
  sed 's/^0:://' "/proc/$1/cgroup"
}

# a file of group $GROUP
limit () {
  cat "/sys/fs/cgroup$GROUP/$1"
}
