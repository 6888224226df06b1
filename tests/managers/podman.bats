#!/usr/bin/env bats
# podman as root, with conmon, on the runtime: no daemon, each command reads what the runtime says.

load helpers

setup_file() {
  file_begin podman conmon /usr/lib/podman/netavark catatonit curl script
  local name
  {
    cat <<END
[containers]
default_ulimits = []
pids_limit = 0
init_path = "$(command -v catatonit)"
log_driver = "k8s-file"
cgroups = "enabled"
[network]
network_backend = "netavark"
network_config_dir = "$WORK/networks"
END
    # the page's own lines, with what this machine needs, and the other runtimes of these tests
    doc_blocks podman.md toml |
      sed -e 's|^\[engine\]|&\ncgroup_manager = "cgroupfs"\nevents_logger = "file"|' \
        -e 's|^\[engine\]|&\ninfra_image = "localhost/pause"|' \
        -e "/^runtime_supports/s|\"tare\"|&, \"$(list_runtimes '", "')\"|" \
        -e "s|\"/usr/local/bin/tare\", \"/usr/bin/tare\"|\"$WORK/bin/runtime\"|"
    for name in "$WORK"/bin/runtime*; do
      printf '%s = ["%s"]\n' "$(basename "$name")" "$name"
    done
  } >"$WORK/containers.conf"
  echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$WORK/policy.json"
  export CONTAINERS_CONF=$WORK/containers.conf
  box_start
  make_busybox "$WORK/busybox"
  tar -C "$WORK/busybox" -c . >"$WORK/bb.tar"
  podman import --change 'CMD ["sh"]' "$WORK/bb.tar" bb
  podman import --change 'CMD ["sleep", "1000"]' "$WORK/bb.tar" pause # what holds a pod
  grep -q '^runtime = "tare"$' "$CONTAINERS_CONF"
}

teardown_file() {
  file_end
}

setup() {
  NAME=$TAG-$BATS_TEST_NUMBER
}

teardown() {
  show_trace
  podman rm --all --force --time 0 >&2
  wait_until 5 quiet_audit || podmans_audit
}

list_runtimes() {
  local name text=
  for name in "$WORK"/bin/runtime*; do
    text+=${text:+$1}$(basename "$name")
  done
  echo "$text"
}

podman() {
  box timeout --foreground 120 podman --root "$WORK/storage" --runroot /run/storage \
    --tmpdir /run/tmp --storage-driver overlay "$@"
}

# The same on a terminal, with the lines to type before `--`: see terminal.
podman_terminal() {
  local typed=()
  while [ "$1" != -- ]; do
    typed+=("$1")
    shift
  done
  shift
  terminal "${typed[@]}" -- podman --root "$WORK/storage" --runroot /run/storage \
    --tmpdir /run/tmp --storage-driver overlay "$@"
}

# podman itself leaves the group of its conmons, and the bare group of a pod in the hierarchies
# without a controller.
podmans_audit() {
  local MAY_STAY="$TAG/conmon\$|/(unified|systemd)/$TAG/[0-9a-f]{64}\$"
  audit '(/usr/bin/)?catatonit -P' /run/tare /run/runc
}

quiet_audit() {
  podmans_audit 2>/dev/null
}

# podman_run [OPTION...] bb COMMAND...
podman_run() {
  podman run --cgroup-parent "/$TAG" --name "$NAME" "$@"
}

state() {
  podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$NAME"
}

state_is() {
  [ "$(state)" = "$1" ]
}

@test "run --rm says hello" {
  run podman_run --rm bb echo hello
  assert_run 0 hello
}

@test "run hands on the exit status" {
  run podman_run --rm bb sh -c 'exit 7'
  assert_run 7
}

@test "run reads standard input" {
  run podman_run --rm -i bb cat <<<'a line'
  assert_run 0 'a line'
}

@test "run -it: a shell on a terminal" {
  run podman_terminal '1:tty; test -t 0 && echo "on a terminal"' '1:exit 3' -- run --cgroup-parent "/$TAG" --rm -it bb sh
  assert_run 3
  assert_contains /dev/pts/0 'on a terminal'
}

@test "run -d, ps, logs, top, exec, stop, start, rm" {
  podman_run -d bb sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done'
  wait_until 5 eval 'podman logs "$NAME" | grep -q up'
  run podman ps --format '{{.Names}} {{.Status}}'
  assert_contains "$NAME Up"
  run podman top "$NAME" pid args
  assert_run 0
  run podman exec "$NAME" echo inside
  assert_run 0 inside
  podman stop --time 10 "$NAME"
  run state
  assert_run 0 'exited 3'
  podman start "$NAME"
  run state
  assert_run 0 'running 0'
  run podman rm "$NAME"
  [ "$status" -ne 0 ]
  podman rm --force --time 0 "$NAME"
}

@test "exec: output, exit status, user, environment, directory" {
  podman_run -d --env A=1 bb sleep 100
  run podman exec --env B=2 --user user --workdir /etc "$NAME" sh -c 'id -un; echo $A$B; pwd; exit 5'
  assert_run 5 $'user\n12\n/etc'
  run podman exec -i "$NAME" cat <<<'through'
  assert_run 0 through
}

@test "exec -it: a shell on a terminal of its own" {
  podman_run -d bb sleep 100
  run podman_terminal '1:tty; exit 6' -- exec -it "$NAME" sh
  assert_run 6
  assert_contains /dev/pts/0
}

@test "exec: a missing program is 127, one that is not executable 126" {
  podman_run -d bb sleep 100
  run podman exec "$NAME" no-such-program
  assert_run 127
  assert_contains no-such-program 'executable file not found'
  run podman exec "$NAME" /etc/text
  assert_run 126
  assert_contains /etc/text 'permission denied'
}

@test "exec -d" {
  podman_run -d bb sleep 100
  podman exec -d "$NAME" sh -c 'echo $$ >/tmp/pid; exec sleep 200'
  wait_until 5 podman exec "$NAME" test -s /tmp/pid
}

@test "exec in a stopped container is an error" {
  podman_run -d bb true
  wait_until 10 state_is 'exited 0'
  run podman exec "$NAME" true
  assert_run 255
}

@test "stop kills one that ignores TERM; kill with a signal" {
  podman_run -d bb sh -c 'trap "" TERM; while :; do sleep 0.1; done'
  podman stop --time 1 "$NAME"
  run state
  assert_run 0 'exited 137'
  podman rm "$NAME"
  podman_run -d bb sh -c 'trap "exit 9" USR1; echo up; while :; do sleep 0.1; done'
  wait_until 5 eval 'podman logs "$NAME" | grep -q up'
  podman kill --signal USR1 "$NAME"
  wait_until 5 state_is 'exited 9'
}

@test "create, init, start, wait, restart" {
  podman create --cgroup-parent "/$TAG" --name "$NAME" bb sh -c 'exit 12'
  podman init "$NAME"
  podman start "$NAME"
  run podman wait "$NAME"
  assert_run 0 12
  podman rm "$NAME"
  podman_run -d bb sleep 100
  podman restart --time 0 "$NAME"
  run state
  assert_run 0 'running 0'
}

@test "a missing program is 127, one that is not executable 126, another failure 125" {
  run podman_run --rm bb no-such-program
  assert_run 127
  assert_contains no-such-program 'executable file not found'
  run podman_run --rm bb /etc/text
  assert_run 126
  assert_contains /etc/text 'permission denied'
  run podman_run --rm --no-such-option bb true
  assert_run 125
  run podman_run --runtime runtime-limit --rm bb true
  [ "$status" -eq 125 ] || [ "$status" -eq 126 ]
  assert_contains memory
}

@test "a hook that fails" {
  run podman --runtime "$WORK/bin/runtime-hook" run --cgroup-parent "/$TAG" --rm bb echo hello
  [ "$status" -eq 125 ] || [ "$status" -eq 126 ]
  assert_contains hook 'had enough'
}

@test "limits: memory, cpus, pids, cpuset" {
  has_controller memory
  run podman_run --rm --memory 64m --cpus 0.5 --pids-limit 10 --cpuset-cpus 0 bb sh -c \
    'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max 2>/dev/null ||
     cat memory.max cpu.max pids.max; grep Cpus_allowed_list /proc/self/status'
  assert_run 0
  assert_contains 67108864 50000 10 $'Cpus_allowed_list:\t0'
}

@test "pause and unpause" {
  podman_run -d bb sleep 100
  podman pause "$NAME"
  run state
  assert_run 0 'paused 0'
  podman unpause "$NAME"
  run state
  assert_run 0 'running 0'
}

@test "bridge network with a published port" {
  podman_run -d --publish 127.0.0.1:18081:80 bb sh -c \
    'echo a page >/var/www/index.html; exec httpd -f -p 80 -h /var/www'
  wait_until 5 box curl --silent --fail http://127.0.0.1:18081/ --output /dev/null
  run box curl --silent http://127.0.0.1:18081/
  assert_run 0 'a page'
}

@test "volumes, read-only root, tmpfs, user, hostname" {
  mkdir -p "$WORK/volume"
  run podman_run --rm --read-only --read-only-tmpfs=false --tmpfs /scratch:notmpcopyup --user 1000 \
    --hostname h.example -v "$WORK/volume:/in:ro" bb sh -c \
    'id -u; hostname; touch /scratch/x; touch /x; touch /in/x'
  assert_run 1
  assert_contains 1000 h.example 'touch: /x: Read-only' 'touch: /in/x: Read-only'
}

@test "--tmpfs has what the image has there" {
  "$RUNTIME" features | jq -e '.mountOptions | index("tmpcopyup")' || skip 'it has no tmpcopyup'
  run podman_run --rm --read-only --tmpfs /etc bb sh -c 'echo x >/etc/new; cat /etc/text'
  assert_run 0 'a text'
}

@test "--init, --privileged, --cap-drop, no seccomp" {
  run podman_run --rm --init bb cat /proc/1/comm
  assert_run 0 podman-init
  run podman_run --rm --privileged bb grep NoNewPrivs /proc/self/status
  assert_run 0 $'NoNewPrivs:\t0'
  run podman_run --rm --cap-drop all --security-opt seccomp=unconfined bb \
    grep -E 'CapEff|Seccomp:' /proc/self/status
  assert_run 0 $'CapEff:\t0000000000000000\nSeccomp:\t0'
}

@test "namespaces of another container" {
  podman_run -d bb sleep 100
  run podman run --cgroup-parent "/$TAG" --rm --pid "container:$NAME" --network "container:$NAME" \
    --ipc "container:$NAME" bb ps -o args
  assert_contains 'sleep 100'
}

@test "a pod: containers that share namespaces" {
  podman pod create --cgroup-parent "/$TAG" --name "$NAME-pod"
  podman run -d --pod "$NAME-pod" bb sh -c \
    'echo pod >/var/www/index.html; exec httpd -f -p 80 -h /var/www'
  run podman run --rm --pod "$NAME-pod" bb sh -c \
    'for i in 1 2 3 4 5; do wget -q -O - http://127.0.0.1/ && exit; sleep 0.2; done'
  podman pod rm --force --time 0 "$NAME-pod"
  assert_run 0 pod
}

@test "build of three layers" {
  mkdir -p "$WORK/context"
  echo copied >"$WORK/context/file"
  printf 'FROM bb\nRUN echo first >/first\nCOPY file /second\nRUN cat /first /second >/third\n' \
    >"$WORK/context/Dockerfile"
  run podman build --isolation oci --runtime "$WORK/bin/runtime" --cgroup-parent "/$TAG/build" \
    --tag built "$WORK/context"
  assert_run 0
  run podman_run --rm built cat /third
  assert_run 0 $'first\ncopied'
  podman rmi built
}

@test "stats, inspect, and update of a container that runs" {
  has_controller memory
  podman_run -d --memory 64m bb sleep 100
  run podman stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' "$NAME"
  assert_run 0
  assert_contains '/ 67.11MB 1'
  run podman inspect --format '{{.OCIRuntime}}' "$NAME"
  assert_run 0 tare
  podman update --memory 32m "$NAME"
  run podman exec "$NAME" sh -c \
    'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'
  assert_run 0 33554432
}

@test "a user namespace: ids of its own, a volume, an exec" {
  mkdir -p "$WORK/mapped"
  chown 200000:200000 "$WORK/mapped"
  podman_run -d --uidmap 0:200000:65536 --gidmap 0:200000:65536 -v "$WORK/mapped:/mapped" bb sleep 100
  run podman exec "$NAME" sh -c 'id -u; cat /proc/self/uid_map; touch /mapped/x; stat -c %u /etc/text'
  assert_run 0
  assert_contains $'0\n' 200000 65536
  [ "${lines[2]}" = 0 ]
  [ "$(stat -c %u "$WORK/mapped/x")" = 200000 ]
}

@test "a named volume keeps what is written, and is filled from the image" {
  podman volume create "$NAME-v"
  run podman run --cgroup-parent "/$TAG" --rm -v "$NAME-v:/etc" bb sh -c 'echo mine >/etc/mine'
  assert_run 0 ''
  run podman_run --rm -v "$NAME-v:/data" bb cat /data/mine /data/text
  assert_run 0 $'mine\na text'
  podman volume rm "$NAME-v"
}

@test "a healthcheck" {
  # its timer would be systemd's
  podman_run -d --health-cmd 'test -e /tmp/well' --health-interval disable --health-retries 1 bb \
    sleep 100
  run podman healthcheck run "$NAME"
  assert_run 1
  podman exec "$NAME" touch /tmp/well
  run podman healthcheck run "$NAME"
  assert_run 0
  run podman inspect --format '{{.State.Health.Status}}' "$NAME"
  assert_run 0 healthy
}

@test "without control groups" {
  is_tare || skip "runc has no --cgroup-manager=disabled"
  run podman run --rm --cgroups=disabled bb sh -c 'echo hello; cat /proc/self/cgroup'
  assert_run 0
  assert_contains hello
  [[ $output != *libpod* ]]
}

@test "play kube: a pod of two containers, and its end" {
  cat >"$WORK/pod.yaml" <<END
apiVersion: v1
kind: Pod
metadata:
  name: $NAME-kube
spec:
  restartPolicy: Never
  containers:
    - name: web
      image: localhost/bb
      command: ["/bin/sh", "-c", "PATH=/bin; echo kube >/var/www/index.html; exec httpd -f -p 80 -h /var/www"]
      resources: {limits: {memory: 64Mi}}
      securityContext: {readOnlyRootFilesystem: false, capabilities: {drop: ["ALL"], add: ["NET_BIND_SERVICE"]}}
    - name: asks
      image: localhost/bb
      command: ["/bin/sh", "-c", "PATH=/bin; until wget -q -O - http://127.0.0.1/; do sleep 0.2; done; sleep 1000"]
      env: [{name: WORD, value: env}]
END
  podman play kube "$WORK/pod.yaml"
  wait_until 10 eval 'podman logs "$NAME-kube-asks" | grep -q kube'
  run podman exec "$NAME-kube-asks" /bin/sh -c '/bin/hostname; echo $WORD'
  assert_run 0 "$NAME-kube"$'\nenv'
  run podman exec "$NAME-kube-web" /bin/grep CapEff /proc/1/status
  podman play kube --down "$WORK/pod.yaml"
  assert_run 0 $'CapEff:\t0000000000000400'
  run podman pod ps --quiet
  assert_run 0 ''
}

@test "a directory, a user, a source of a mount that is none: the user is told" {
  run podman_run --rm --user nobody-here bb true
  [ "$status" -ne 0 ]
  assert_contains nobody-here
  run podman_run --rm -v /no/such/place:/x bb true
  [ "$status" -ne 0 ]
  assert_contains /no/such/place 'no such file or directory'
  run podman_run --runtime runtime-cwd --rm bb true
  [ "$status" -ne 0 ]
  assert_contains /etc/text
  run podman_run --runtime runtime-mount --rm bb true
  [ "$status" -ne 0 ]
  assert_contains /no/such/source
  [[ ${output,,} == *'no such file or directory'* ]]
  podman_run -d bb sleep 100
  run podman exec --workdir /no/such/place "$NAME" true
  [ "$status" -ne 0 ]
  assert_contains /no/such/place
}

@test "an image for another machine: the user is told" {
  mkdir -p "$WORK/other/bin"
  make_foreign "$WORK/other/bin/other"
  tar -C "$WORK/other" -c . | podman import --arch s390x --change 'CMD ["/bin/other"]' - other
  run podman_run --rm --pull never other
  podman rmi --force other
  [ "$status" -ne 0 ]
  assert_contains /bin/other
  [[ ${output,,} == *'exec format error'* ]]
}

@test "the page about Podman: what it has a person type" {
  is_tare || skip "runc has no --cgroup-manager=disabled"
  run page_run podman.md podman --root "$WORK/storage" --runroot /run/storage --tmpdir /run/tmp \
    --storage-driver overlay
  assert_run 0
  assert_contains hello 'uid=0(root)' 'without control groups'
}
