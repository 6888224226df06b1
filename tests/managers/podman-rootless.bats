#!/usr/bin/env bats
# podman and buildah of an ordinary user, who has subordinate ids and newuidmap(1): podman runs the
# runtime as root of a user namespace of its own making. The user is one of the box alone.

load helpers

setup_file() {
  file_begin podman buildah conmon newuidmap newgidmap slirp4netns catatonit script setpriv
  export USER_ID=4321
  box_start
  box chmod 666 /dev/fuse 2>/dev/null || true
  make_user
  as_user podman import --change 'CMD ["sh"]' /run/own/bb.tar bb >/dev/null
}

teardown_file() {
  file_end
}

setup() {
  NAME=$TAG-$BATS_TEST_NUMBER
}

teardown() {
  show_trace
  podman pod rm --all --force --time 0 >&2
  podman rm --all --force --time 0 >&2
  as_user buildah rm --all >&2
  wait_until 5 quiet_audit || users_audit
}

# In the box: names and ids of its own in /etc, a home, a run-time directory, and copies of what the
# user is to reach. Everything of the user is below /run, which is the box's own.
make_user() {
  local file
  mkdir "$WORK/etc"
  for file in passwd group subuid subgid; do
    cp "/etc/$file" "$WORK/etc/$file" 2>/dev/null || : >"$WORK/etc/$file"
  done
  echo "$TAG:x:$USER_ID:$USER_ID::/run/home:/bin/sh" >>"$WORK/etc/passwd"
  echo "$TAG:x:$USER_ID:" >>"$WORK/etc/group"
  echo "$TAG:200000:65536" | tee "$WORK/etc/subuid" >"$WORK/etc/subgid"
  make_busybox "$WORK/busybox"
  tar -C "$WORK/busybox" -c . >"$WORK/bb.tar"
  box bash -euc 'for file in passwd group subuid subgid; do mount --bind "$1/etc/$file" "/etc/$file"; done
    [ ! -e /dev/net/tun ] || { mknod -m 666 /run/tun c 10 200; mount --bind /run/tun /dev/net/tun; }
    mkdir -p /run/own /run/home/.config/containers "/run/user/$2"
    cp "$1/bb.tar" "$3" /run/own/
    chmod -R a+rX /run/own
    chown -R "$2:$2" /run/home "/run/user/$2"
    chmod 700 /run/home "/run/user/$2"' - "$WORK" "$USER_ID" "$RUNTIME"
  as_user sh -c 'cat >~/.config/containers/containers.conf' <<END
[containers]
default_ulimits = []
pids_limit = 0
init_path = "$(command -v catatonit)"
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "x"
runtime_supports_json = ["x"]
[engine.runtimes]
x = ["/run/own/$(basename "$RUNTIME")"]
END
  as_user sh -c 'cat >~/.config/containers/storage.conf' <<END
[storage]
driver = "overlay"
END
  as_user sh -c 'cat >~/.config/containers/policy.json' <<<'{"default": [{"type": "insecureAcceptAnything"}]}'
}

# The words before a command of the user's
to_user() {
  local groups=(--clear-groups)
  [ -z "${GROUPS_KEPT:-}" ] || groups=(--groups "$GROUPS_KEPT")
  TO_USER=(setpriv --reuid "$USER_ID" --regid "$USER_ID" "${groups[@]}" --inh-caps=-all env -i HOME=/run/home USER="$TAG"
    PATH=/usr/bin:/bin:/usr/sbin:/sbin XDG_RUNTIME_DIR="/run/user/$USER_ID" TERM=xterm)
}

as_user() {
  to_user
  box timeout --foreground 120 "${TO_USER[@]}" "$@"
}

podman() {
  as_user podman "$@"
}

podman_run() {
  podman run --name "$NAME" "$@"
}

# Of the user nothing is left but podman's pause process, which holds its namespaces.
users_audit() {
  audit '(/usr/bin/)?(catatonit -P|podman)' "/run/user/$USER_ID/tare" "/run/user/$USER_ID/runc" "/run/user/$USER_ID/crun"
}

quiet_audit() {
  users_audit 2>/dev/null
}

state() {
  podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$NAME"
}

state_is() {
  [ "$(state)" = "$1" ]
}

@test "run --rm: the user is root inside, with the subordinate ids; exit status and input go through" {
  run podman_run --rm bb sh -c 'id -u; cat /proc/self/uid_map; touch /made && chown 1000:1000 /made && stat -c %u:%g /made'
  assert_run 0
  output=$(tr -s ' ' <<<"$output" | sed 's/^ //') assert_run 0 "0
0 $USER_ID 1
1 200000 65536
1000:1000"
  run podman_run --rm bb sh -c 'exit 7'
  assert_run 7
  run podman_run --rm -i bb cat <<<'a line'
  assert_run 0 'a line'
}

@test "run -d, ps, logs, exec, top, stop, start, rm" {
  podman_run -d bb sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done'
  wait_until 10 eval 'podman logs "$NAME" | grep -q up'
  run podman ps --format '{{.Names}} {{.Status}}'
  assert_contains "$NAME Up"
  run podman exec --user 5:6 --env B=2 --workdir /etc "$NAME" sh -c 'id -u; id -g; echo $B; pwd; exit 5'
  assert_run 5 $'5\n6\n2\n/etc'
  run -127 podman exec "$NAME" no-such-program
  assert_run 127
  podman stop --time 10 "$NAME"
  run state
  assert_run 0 'exited 3'
  podman start "$NAME"
  run state
  assert_run 0 'running 0'
  podman kill "$NAME"
  wait_until 10 state_is 'exited 137'
  podman rm "$NAME"
}

@test "run -it: a shell on a terminal" {
  to_user
  run terminal '1:tty; test -t 0 && echo "on a terminal"' '1:exit 3' -- "${TO_USER[@]}" podman run --rm -it bb sh
  assert_run 3
  assert_contains /dev/pts/0 'on a terminal'
}

@test "--userns=keep-id: the user's own id inside, and its files" {
  as_user mkdir -p /run/home/volume
  run podman_run --rm --userns=keep-id -v /run/home/volume:/volume bb sh -c 'id -u; id -g; touch /volume/made; stat -c %u:%g /volume/made'
  assert_run 0 "$USER_ID
$USER_ID
$USER_ID:$USER_ID"
  [ "$(as_user stat -c %u:%g /run/home/volume/made)" = "$USER_ID:$USER_ID" ]
}

@test "a pod: two containers that share their network, ipc and names; its end is theirs" {
  podman pod create --infra-image bb --infra-command 'sleep 1000' --name "$NAME-pod" --share net,ipc,uts,pid >/dev/null
  podman run -d --pod "$NAME-pod" --name "$NAME-1" bb sh -c 'echo pod >/var/www/index.html; exec httpd -f -p 8080 -h /var/www'
  run podman run --rm --pod "$NAME-pod" --name "$NAME-2" bb sh -c \
    'for i in 1 2 3 4 5 6 7 8 9 10; do wget -q -O - http://127.0.0.1:8080/ && break; sleep 0.2; done; ps -o args | grep -c "[h]ttpd -f"; readlink /proc/self/ns/ipc'
  assert_run 0
  [ "${lines[0]}" = pod ]
  [ "${lines[1]}" = 1 ]
  [ "$(podman exec "$NAME-1" readlink /proc/self/ns/ipc)" = "${lines[2]}" ]
  podman run -d --pod "$NAME-pod" --name "$NAME-3" bb sleep 1000
  podman pod stop --time 0 "$NAME-pod"
  run podman ps --quiet
  assert_run 0 ''
  podman pod rm --force "$NAME-pod"
}

@test "a network of slirp4netns, with a published port" {
  podman_run -d --network slirp4netns --publish 127.0.0.1:18082:80 bb sh -c 'echo a page >/var/www/index.html; exec httpd -f -p 80 -h /var/www'
  wait_until 10 as_user curl --silent --fail http://127.0.0.1:18082/ --output /dev/null
}

@test "volumes, read-only root, tmpfs, user, hostname, init; what the user may not" {
  run podman_run --rm --read-only --read-only-tmpfs=false --tmpfs /scratch:notmpcopyup --user 1000 --init \
    --hostname h.example bb sh -c 'id -u; hostname; touch /x; cat /proc/1/comm; mknod /scratch/n c 1 3; ls /sys/firmware | wc -l'
  assert_run 0
  assert_contains 1000 h.example 'touch: /x: Read-only' podman-init 'mknod: /scratch/n: Operation not permitted'
}

@test "--group-add keep-groups: the groups of the user, whom nobody inside knows by number" {
  is_tare || skip "the peer drops them"
  GROUPS_KEPT=$USER_ID,4555 run podman_run --rm --group-add keep-groups bb grep Groups /proc/self/status
  assert_run 0
  [ "$(tr -s '\t ' ' ' <<<"$output" | sed 's/ $//')" = 'Groups: 0 65534' ] || fail_with groups
  GROUPS_KEPT=$USER_ID,4555 run podman_run --rm --userns=keep-id --group-add keep-groups bb sh -c 'id -u; grep Groups /proc/self/status'
  assert_run 0
  [ "$(tr -s '\t ' ' ' <<<"$output" | sed 's/ $//')" = "$USER_ID
Groups: $USER_ID 65534" ] || fail_with 'groups with keep-id'
}

@test "--systemd=always: what podman binds for systemd finds its place" {
  run podman_run --rm --systemd always bb grep -qE ' /sys/fs/cgroup/systemd | - cgroup2 ' /proc/self/mountinfo
  assert_run 0
}

@test "namespaces of the host: network, pid, ipc, uts; its control groups cannot be written (T44)" {
  run podman_run --rm --pid host --ipc host --uts host bb sh -c 'hostname; ls -d /proc/1/task'
  assert_run 0 "$(hostname)
/proc/1/task"
  is_tare || skip "the peer leaves them writable"
  run podman_run --rm --network host bb sh -c 'mount | grep "^cgroup"; mount | grep " /sys/.*[(,]rw[,)]"; mkdir /sys/fs/cgroup/made'
  [ "$status" -ne 0 ]
  assert_contains 'on /sys/fs/cgroup' Read-only
  [[ $output != *'(rw'* ]] || fail_with 'one can be written'
}

@test "podman build and buildah bud, of three layers" {
  as_user sh -c 'mkdir -p ~/context; echo copied >~/context/file; printf "FROM bb\nRUN echo first >/first\nCOPY file /second\nRUN id -u >/third && cat /first /second >>/third\n" >~/context/Dockerfile'
  run podman build --isolation rootless --tag "built-$BATS_TEST_NUMBER" /run/home/context
  assert_run 0
  run podman_run --rm "built-$BATS_TEST_NUMBER" cat /third
  assert_run 0 $'0\nfirst\ncopied'
  run as_user buildah bud --no-cache --isolation rootless --runtime "/run/own/$(basename "$RUNTIME")" --tag "bud-$BATS_TEST_NUMBER" /run/home/context
  assert_run 0
  run podman run --rm "bud-$BATS_TEST_NUMBER" cat /third
  assert_run 0 $'0\nfirst\ncopied'
}
