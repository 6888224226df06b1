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

# Before user_begin: the guest's user, with a systemd of its own. That stays: other files use it, too.
user_manager_begin () {
  USER_ID=$(id -u user)
  USER_RUN=/run/user/$USER_ID
  export USER_ID USER_RUN
  systemctl start "user@$USER_ID.service"
}
