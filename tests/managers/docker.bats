#!/usr/bin/env bats
# Docker's engine, with its own containerd and shim, on the runtime: what an everyday user of docker
# does. Debian's dockerd 20.10; the client may be newer.

load helpers

setup_file() {
  file_begin dockerd docker docker-proxy docker-registry iptables curl script debootstrap
  local runtime
  for runtime in "$WORK"/bin/runtime-*; do
    jq -n --arg name "$(basename "$runtime")" --arg path "$runtime" '{($name): {path: $path}}'
  done | jq -s --arg work "$WORK" --arg tag "$TAG" '{
      "data-root": ($work + "/data"), "exec-root": "/run/docker", pidfile: "/run/docker.pid",
      hosts: ["unix:///run/docker.sock"], "storage-driver": "overlay2", bip: "10.123.0.1/24",
      "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": ("/" + $tag),
      "default-runtime": "runtime", experimental: true,
      runtimes: (add + {runtime: {path: ($work + "/bin/runtime")}})
    }' >"$WORK/ours.json"
  # with the lines of the page about Docker
  doc_blocks docker.md json | sed "s|/usr/local/bin/tare|$WORK/bin/runtime|" |
    jq -s '.[0] * .[1]' "$WORK/ours.json" - >"$WORK/daemon.json"
  export DOCKER_HOST=unix:///run/docker.sock DOCKER_API_VERSION=1.41 DOCKER_BUILDKIT=0
  export DOCKER_CONFIG=$WORK/config
  mkdir -p "$DOCKER_CONFIG"
  echo '{}' >"$DOCKER_CONFIG/config.json"
  box_start dockerd --config-file "$WORK/daemon.json"
  wait_until 60 answers || { tail -n 20 "$WORK/daemon.log" >&2; return 1; }
  make_busybox "$WORK/busybox"
  tar -C "$WORK/busybox" -c . | docker import --change 'CMD ["sh"]' - bb:latest
  docker import --change 'CMD ["bash"]' "$(debian_tar)" debian:bookworm
}

teardown_file() {
  file_end
}

setup() {
  NAME=$TAG-$BATS_TEST_NUMBER
}

teardown() {
  show_trace
  local ids
  ids=$(docker ps -aq)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker rm --force --volumes $ids >&2
  wait_until 5 quiet_audit || dockers_audit
}

docker() {
  box timeout --foreground 120 docker "$@"
}

answers() {
  docker version >/dev/null 2>&1
}

dockers_audit() {
  audit '(/usr/s?bin/)?(dockerd|containerd) ' /run/docker/runtime-runc/moby
}

quiet_audit() {
  dockers_audit 2>/dev/null
}

# background ARGUMENT...: a container NAME of busybox that runs.
background() {
  docker run --detach --name "$NAME" "$@" >/dev/null
}

state() {
  docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$NAME"
}

state_is() {
  [ "$(state)" = "$1" ]
}

# ---- run -----------------------------------------------------------------------------------------

@test "run --rm says hello" {
  run docker run --rm bb echo hello
  assert_run 0 hello
}

@test "run hands on the exit status" {
  run docker run --rm bb sh -c 'exit 7'
  assert_run 7
}

@test "run reads standard input, and keeps the outputs apart" {
  run --separate-stderr docker run --rm -i bb sh -c 'cat; echo error >&2' <<<'line'
  assert_run 0 line
  [ "$stderr" = error ]
}

@test "a mebibyte through the pipes comes out whole" {
  head -c 1048576 /dev/urandom >"$WORK/bytes"
  run docker run --rm -i bb md5sum <"$WORK/bytes"
  assert_run 0 "$(md5sum <"$WORK/bytes")"
}

@test "an image of one program and nothing else" {
  mkdir -p "$WORK/scratch"
  cp "$WORK/busybox/bin/busybox" "$WORK/scratch/busybox"
  printf 'FROM scratch\nCOPY busybox /\nCMD ["/busybox", "echo", "hello from an image"]\n' \
    >"$WORK/scratch/Dockerfile"
  docker build --tag "$NAME:hello" "$WORK/scratch"
  run docker run --rm "$NAME:hello"
  assert_run 0 'hello from an image'
  docker rmi "$NAME:hello"
}

@test "run -it debian bash: a shell on a terminal" {
  run terminal '1:tty; stty size; test -t 0 && echo "on a terminal"' '1:exit 3' -- \
    docker run --rm -it debian:bookworm bash
  assert_run 3
  assert_contains /dev/pts/0 'on a terminal'
}

@test "run -it: control-C reaches the program, the window's size the terminal" {
  run terminal '1:until stty size; do sleep 0.1; done' $'1:sleep 50' $'1:\003' '1:exit 4' -- \
    sh -c 'stty rows 33 columns 101; exec docker run --rm -it bb sh'
  assert_run 4
  assert_contains '33 101'
}

@test "run -d, logs, ps, top, inspect" {
  background bb sh -c 'echo one; echo two >&2; exec sleep 100'
  wait_until 5 eval '[ "$(docker logs "$NAME" 2>&1 | wc -l)" -eq 2 ]'
  run docker logs "$NAME"
  assert_contains one two
  run docker ps --format '{{.Names}} {{.Status}}'
  assert_contains "$NAME Up"
  run docker top "$NAME"
  assert_contains 'sleep 100'
  run state
  assert_run 0 'running 0'
}

@test "the container is Debian, with its users and programs" {
  run docker run --rm debian:bookworm sh -c \
    '. /etc/os-release; echo $ID $VERSION_CODENAME; id -un; dpkg-query -W -f "\${Status}\n" base-files'
  assert_run 0 $'debian bookworm\nroot\ninstall ok installed'
}

# ---- exec ----------------------------------------------------------------------------------------

@test "exec: output, exit status, user, environment, directory" {
  background --env A=1 bb sleep 100
  run docker exec "$NAME" sh -c 'echo $A; exit 5'
  assert_run 5 1
  run docker exec --user user --env B=2 --workdir /etc "$NAME" sh -c 'id -un; echo $A$B; pwd'
  assert_run 0 $'user\n12\n/etc'
  run docker exec -i "$NAME" cat <<<'through'
  assert_run 0 through
}

@test "exec -it: a second shell on a terminal of its own" {
  background debian:bookworm sleep 100
  run terminal '1:tty; echo pid $(cat /proc/1/comm)' '1:exit 6' -- docker exec -it "$NAME" bash
  assert_run 6
  assert_contains /dev/pts/0 'pid sleep'
}

@test "exec -d, and what it runs ends with the container" {
  background bb sleep 100
  docker exec --detach "$NAME" sh -c 'echo $$ >/tmp/pid; exec sleep 200'
  wait_until 5 docker exec "$NAME" test -s /tmp/pid
  run docker top "$NAME"
  assert_contains 'sleep 200'
  docker rm --force "$NAME"
}

@test "exec: a missing program, and one that is not executable" {
  background bb sleep 100
  run docker exec "$NAME" no-such-program
  [[ $status == 126 || $status == 127 ]] # 126 from an engine before 25, whatever the runtime says
  assert_contains no-such-program 'executable file not found'
  run docker exec "$NAME" /etc/text
  assert_run 126
  assert_contains /etc/text 'permission denied'
  run state
  assert_run 0 'running 0'
}

@test "exec in a stopped container is an error, and leaves it stopped" {
  background bb true
  wait_until 10 state_is 'exited 0'
  run docker exec "$NAME" true
  assert_run 1
  assert_contains 'is not running'
}

@test "many execs at once" {
  background bb sleep 100
  local i jobs=()
  for i in 1 2 3 4 5 6 7 8; do
    docker exec "$NAME" echo "$i" >"$WORK/exec.$i" &
    jobs+=($!)
  done
  for i in "${jobs[@]}"; do
    wait "$i"
  done
  run cat "$WORK"/exec.[1-8]
  assert_run 0 $'1\n2\n3\n4\n5\n6\n7\n8'
}

# ---- the life of a container ---------------------------------------------------------------------

@test "stop: TERM is heard; start again; rm" {
  background bb sh -c 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done'
  wait_until 5 eval 'docker logs "$NAME" | grep -q up'
  docker stop --time 10 "$NAME"
  run state
  assert_run 0 'exited 3'
  docker start "$NAME"
  run state
  assert_run 0 'running 0'
  wait_until 5 eval '[ "$(docker logs "$NAME" | grep -c up)" -eq 2 ]'
  run docker rm "$NAME"
  assert_run 1
  docker stop --time 10 "$NAME"
  docker rm "$NAME"
  run docker ps -aq
  assert_run 0 ''
}

@test "stop: one that ignores TERM is killed" {
  background bb sh -c 'trap "" TERM; while :; do sleep 0.1; done'
  docker stop --time 1 "$NAME"
  run state
  assert_run 0 'exited 137'
}

@test "kill, with a signal of one's choice" {
  background bb sh -c 'trap "exit 9" USR1; while :; do sleep 0.1; done'
  sleep 0.5
  docker kill --signal USR1 "$NAME"
  wait_until 5 state_is 'exited 9'
  docker start "$NAME"
  docker kill "$NAME"
  wait_until 5 state_is 'exited 137'
  run docker kill "$NAME"
  assert_run 1
  assert_contains 'is not running'
}

@test "restart, create and start apart, wait, rename" {
  background bb sleep 100
  docker restart --time 0 "$NAME"
  run state
  assert_run 0 'running 0'
  docker create --name "$NAME-two" bb sh -c 'exit 12'
  docker start "$NAME-two"
  run docker wait "$NAME-two"
  assert_run 0 12
  docker rename "$NAME-two" "$NAME-three"
  docker rm "$NAME-three"
}

@test "start -a of a container that was made before" {
  docker create --name "$NAME" bb sh -c 'echo started; exit 2'
  run docker start --attach "$NAME"
  assert_run 2 started
}

@test "pause and unpause" {
  background bb sh -c 'while :; do echo x; sleep 0.1; done'
  docker pause "$NAME"
  run state
  assert_run 0 'paused 0'
  local before
  before=$(docker logs "$NAME" | wc -l)
  sleep 0.5
  [ "$(docker logs "$NAME" | wc -l)" -eq "$before" ]
  run docker exec "$NAME" true
  assert_run 1
  assert_contains paused
  docker unpause "$NAME"
  wait_until 5 eval '[ "$(docker logs "$NAME" | wc -l)" -gt "$before" ]'
  docker pause "$NAME"
  docker rm --force "$NAME"
}

@test "without a pid namespace of its own: what it leaves behind keeps nobody waiting" {
  run timeout 60 bash -c "$(declare -f box docker); docker run --rm --pid host bb sh -c 'echo out; sleep 4321 & exit 5'"
  assert_run 5 out
  run box pgrep -f '^sleep 4321$'
  assert_run 1 ''
}

@test "restart policy: one that fails is started again" {
  background --restart on-failure:2 bb sh -c 'echo try; exit 1'
  wait_until 20 state_is 'exited 1'
  run docker logs "$NAME"
  assert_run 0 $'try\ntry\ntry'
}

# ---- failures ------------------------------------------------------------------------------------

@test "a missing program is 127, and the message says so" {
  run docker run --name "$NAME" bb no-such-program
  assert_run 127
  assert_contains no-such-program 'executable file not found'
  docker rm "$NAME"
  run docker run --rm bb /no/such/program
  assert_run 127
  assert_contains /no/such/program 'no such file or directory'
}

@test "a program that is not executable is 126" {
  run docker run --rm bb /etc/text
  assert_run 126
  assert_contains /etc/text 'permission denied'
  run docker run --rm bb /etc
  assert_run 126
}

# fails NAME WORD...: `run` with that runtime is a failure of the engine, its message has the words
# and is one line, and the container cannot be started, but removed.
fails() {
  local runtime=$1
  shift
  run docker run --runtime "$runtime" --name "$NAME" bb echo hello
  assert_run 125
  assert_contains 'OCI runtime create failed' "$@"
  if is_tare; then
    # the client may add a hint after an empty line
    [ -z "${lines[1]:-}" ] || [[ ${lines[1]} == *--help* ]] || fail_with 'more than one line'
  fi
  docker rm "$NAME"
  dockers_audit
}

@test "a hook that fails" {
  fails runtime-hook hook 'had enough'
}

@test "a hook that hangs is ended after its timeout" {
  fails runtime-hang hook timeout
}

@test "a limit that the kernel refuses" {
  has_controller memory
  fails runtime-limit memory
}

@test "a seccomp action that does not exist" {
  fails runtime-filter SCMP_ACT_DANCE
}

@test "a console socket that nobody listens on" {
  run terminal '1:exit' -- docker run --runtime runtime-console --rm -it bb sh
  assert_run 125
  assert_contains 'OCI runtime create failed' nobody
}

@test "a hook, a limit, a filter: after a failure the next container runs" {
  run docker run --rm --runtime runtime-hook bb true
  assert_run 125
  run docker run --rm bb echo hello
  assert_run 0 hello
}

@test "a directory, a user, a source of a mount that is none: the user is told" {
  background bb sleep 100
  run docker exec --workdir /no/such/place "$NAME" true
  [ "$status" -ne 0 ]
  assert_contains /no/such/place
  [[ ${output,,} == *'no such file or directory'* ]]
  run docker exec --user nobody-here "$NAME" true
  [ "$status" -ne 0 ]
  assert_contains nobody-here
  docker rm --force "$NAME"
  run docker run --rm --runtime runtime-cwd bb true
  [ "$status" -ne 0 ]
  assert_contains /etc/text
  run docker run --rm --runtime runtime-mount bb true
  [ "$status" -ne 0 ]
  assert_contains /no/such/source
  [[ ${output,,} == *'no such file or directory'* ]]
}

@test "an image for another machine: the user is told" {
  mkdir -p "$WORK/other/bin"
  make_foreign "$WORK/other/bin/other"
  tar -C "$WORK/other" -c . | docker import --platform linux/s390x --change 'CMD ["/bin/other"]' - \
    "$NAME:other"
  # more than once: the engine lost what had not ended yet when start failed
  for _ in 1 2 3 4; do
    run docker run --rm "$NAME:other"
    [ "$status" -ne 0 ]
    assert_contains /bin/other
    [[ ${output,,} == *'exec format error'* ]]
  done
  docker rmi "$NAME:other"
}

@test "checkpoint is refused with a clear line, and the container runs on" {
  is_tare || skip "a runtime that has it needs criu"
  ! "$RUNTIME" checkpoint --help >/dev/null 2>&1 || skip "this one has it"
  background bb sleep 100
  run docker checkpoint create "$NAME" one
  assert_run 1
  assert_contains checkpoint
  run state
  assert_run 0 'running 0'
}

# ---- limits --------------------------------------------------------------------------------------

# group_value V1-FILE V2-FILE: a value as the container itself reads it.
group_value() {
  echo "cat /sys/fs/cgroup/$1 2>/dev/null || cat /sys/fs/cgroup/$2"
}

@test "--memory, read inside" {
  has_controller memory
  run docker run --rm --memory 64m bb sh -c \
    "$(group_value memory/memory.limit_in_bytes memory.max)"
  assert_run 0 67108864
}

@test "--cpus and --cpu-shares, read inside" {
  has_controller cpu
  run docker run --rm --cpus 0.5 bb sh -c "$(group_value cpu/cpu.cfs_quota_us cpu.max)"
  assert_run 0
  [[ $output == 50000 || $output == '50000 100000' ]]
  run docker run --rm --cpu-shares 512 bb sh -c "$(group_value cpu/cpu.shares cpu.weight)"
  assert_run 0
  [[ $output == 512 || $output == 20 ]]
}

@test "--pids-limit, read inside and felt" {
  has_controller pids
  run docker run --rm --pids-limit 10 bb sh -c "$(group_value pids/pids.max pids.max)"
  assert_run 0 10
  run docker run --rm --pids-limit 10 bb sh -c \
    'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait'
  assert_contains "can't fork"
}

@test "--cpuset-cpus, seen by the program" {
  has_controller cpuset
  run docker run --rm --cpuset-cpus 0 bb grep Cpus_allowed_list /proc/self/status
  assert_run 0 $'Cpus_allowed_list:\t0'
}

@test "one that needs more memory than it may have is killed" {
  has_controller memory
  run docker run --name "$NAME" --memory 16m --memory-swap 16m bb \
    sh -c 'head -c 100000000 /dev/zero | tail'
  assert_run 137
}

@test "a device that is given, and one that is not" {
  run docker run --rm --cap-add SYSLOG --device /dev/kmsg:/dev/mine:r bb sh -c \
    'dd if=/dev/mine bs=8192 count=1 >/dev/null 2>&1 && echo read; echo x >/dev/mine'
  assert_run 1
  assert_contains read 'Operation not permitted'
  run docker run --rm --cap-add SYSLOG bb sh -c \
    'mknod /tmp/kmsg c 1 11 && echo made && dd if=/tmp/kmsg bs=8192 count=1'
  assert_run 1
  assert_contains made 'Operation not permitted'
}

@test "update of a container that runs" {
  has_controller memory
  has_command update
  background --memory 64m bb sleep 100
  docker update --memory 32m --memory-swap 32m "$NAME"
  run docker exec "$NAME" sh -c "$(group_value memory/memory.limit_in_bytes memory.max)"
  assert_run 0 33554432
  docker update --pids-limit 77 --cpus 0.5 "$NAME"
  run docker exec "$NAME" sh -c "$(group_value pids/pids.max pids.max);
    $(group_value cpu/cpu.cfs_quota_us cpu.max)"
  assert_contains $'77\n50000'
}

@test "stats sees the memory of the container" {
  has_controller memory
  background --memory 64m bb sleep 100
  run docker stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' "$NAME"
  assert_run 0
  assert_contains '/ 64MiB'
  [[ $output == *' 1' ]]
}

# ---- options -------------------------------------------------------------------------------------

@test "hostname, domain, user, directory, environment" {
  run docker run --rm --hostname h.example --user 1000:1000 --workdir /made/here --env X=y bb \
    sh -c 'hostname; id -u; id -g; pwd; echo $X; echo $HOME'
  assert_run 0 $'h.example\n1000\n1000\n/made/here\ny\n/tmp'
}

@test "capabilities dropped and added, no new privileges" {
  run docker run --rm --cap-drop ALL --cap-add NET_BIND_SERVICE bb grep CapEff /proc/self/status
  assert_run 0 $'CapEff:\t0000000000000400'
  run docker run --rm --security-opt no-new-privileges bb grep NoNewPrivs /proc/self/status
  assert_run 0 $'NoNewPrivs:\t1'
}

@test "--privileged: all that the machine gives" {
  local bounding last
  bounding=$(box awk '/^CapBnd/ { print $2 }' /proc/self/status)
  last=$(cat /proc/sys/kernel/cap_last_cap)
  # runc fails the whole run where root itself lacks a capability
  is_tare || [ $((0x$bounding)) -eq $(((1 << last + 1) - 1)) ] || skip "root lacks capabilities: $bounding"
  run --separate-stderr docker run --rm --privileged bb sh -c '
    grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status
    mount -t tmpfs x /tmp && echo mounted; test -c /dev/kmsg && echo devices
    awk "\$2 == \"/sys\" { print substr (\$4, 1, 2) }" /proc/mounts'
  # the engine may know fewer of them than the kernel
  local effective=${lines[0]#*:}
  lines[0]=
  [ "${lines[*]}" = $' NoNewPrivs:\t0 Seccomp:\t0 mounted devices rw' ]
  effective=$((0x${effective//[^0-9a-f]/}))
  [ $((effective & ~0x$bounding)) -eq 0 ]
  [ $((effective | ~0x3fffffffff)) -eq $((0x$bounding | ~0x3fffffffff)) ]
}

@test "a healthcheck, which is an exec every second" {
  background --health-cmd 'test -e /tmp/well' --health-interval 1s --health-retries 1 bb sleep 100
  wait_until 30 health_is unhealthy
  docker exec "$NAME" touch /tmp/well
  wait_until 30 health_is healthy
}

health_is() {
  [ "$(docker inspect --format '{{.State.Health.Status}}' "$NAME")" = "$1" ]
}

@test "seccomp: the engine's profile, none, one of the user's" {
  run docker run --rm bb grep Seccomp: /proc/self/status
  assert_run 0 $'Seccomp:\t2'
  run docker run --rm --security-opt seccomp=unconfined bb grep Seccomp: /proc/self/status
  assert_run 0 $'Seccomp:\t0'
  echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
    {"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":17}]}' >"$WORK/profile"
  run docker run --rm --security-opt seccomp="$WORK/profile" bb mkdir /x
  assert_run 1
  assert_contains 'File exists'
}

@test "--read-only, --tmpfs, volumes" {
  mkdir -p "$WORK/volume"
  echo shared >"$WORK/volume/file"
  run docker run --rm --read-only --tmpfs /scratch:size=1m -v "$WORK/volume:/in:ro" \
    -v "$WORK/volume:/out" bb sh -c \
    'touch /x; touch /scratch/y && cat /in/file && touch /in/x; echo new >/out/new; df -k /scratch'
  assert_contains shared 'touch: /x: Read-only' 'touch: /in/x: Read-only' ' 1024 '
  [ "$(cat "$WORK/volume/new")" = new ]
}

@test "a named volume keeps what is written, and is filled from the image" {
  docker run --rm -v "$NAME-v:/etc" bb sh -c 'echo mine >/etc/mine'
  run docker run --rm -v "$NAME-v:/data" bb cat /data/mine /data/text
  assert_run 0 $'mine\na text'
  docker volume rm "$NAME-v"
}

@test "rlimits, shared memory, init, sysctl" {
  run docker run --rm --ulimit nofile=77:88 bb sh -c 'ulimit -n; ulimit -Hn'
  assert_run 0 $'77\n88'
  run docker run --rm --shm-size 2m bb sh -c 'df -k /dev/shm | tail -n 1'
  assert_contains ' 2048 '
  run docker run --rm --sysctl net.ipv4.ip_default_ttl=33 bb cat /proc/sys/net/ipv4/ip_default_ttl
  assert_run 0 33
}

@test "--init: a first process that reaps" {
  run docker run --rm --init bb sh -c 'cat /proc/1/comm'
  assert_run 0
  assert_contains init
}

@test "namespaces of the machine and of another container" {
  local own
  own=$(box readlink /proc/self/ns/net)
  run docker run --rm --network host bb readlink /proc/self/ns/net
  assert_run 0 "$own"
  background bb sleep 100
  run docker run --rm --pid "container:$NAME" --network "container:$NAME" bb ps -o args
  assert_contains 'sleep 100'
  run docker run --rm --pid host bb cat /proc/1/cmdline
  assert_contains box
}

@test "cp into and out of a container" {
  background bb sleep 100
  echo in >"$WORK/in"
  docker cp "$WORK/in" "$NAME:/tmp/in"
  run docker exec "$NAME" cat /tmp/in
  assert_run 0 in
  docker cp "$NAME:/etc/text" "$WORK/out"
  [ "$(cat "$WORK/out")" = 'a text' ]
}

@test "masked and read-only paths" {
  # which of them exist depends on the kernel
  run docker run --rm bb sh -c 'for i in kcore keys latency_stats timer_list sched_debug; do
      [ ! -e "/proc/$i" ] || cat "/proc/$i"
    done
    for i in /proc/acpi /proc/scsi /sys/firmware; do [ ! -e "$i" ] || ls -A "$i"; done'
  assert_run 0 ''
  run docker run --rm bb sh -c 'echo h >/proc/sys/kernel/hostname'
  assert_run 1
  assert_contains 'Read-only file system'
}

# ---- network -------------------------------------------------------------------------------------

@test "bridge network, with a published port" {
  background --publish 127.0.0.1:18080:80 bb sh -c \
    'echo a page >/var/www/index.html; exec httpd -f -p 80 -h /var/www'
  wait_until 5 box curl --silent --fail http://127.0.0.1:18080/ --output /dev/null
  run box curl --silent http://127.0.0.1:18080/
  assert_run 0 'a page'
  local address
  address=$(docker inspect --format '{{.NetworkSettings.IPAddress}}' "$NAME")
  run docker run --rm bb wget -q -O - "http://$address/"
  assert_run 0 'a page'
}

@test "a published port, from another container by the machine's address" {
  background --publish 18082:80 bb sh -c \
    'echo published >/var/www/index.html; exec httpd -f -p 80 -h /var/www'
  wait_until 5 box curl --silent --fail http://10.123.0.1:18082/ --output /dev/null
  run docker run --rm bb wget -q -O - http://10.123.0.1:18082/
  assert_run 0 published
  docker stop --time 0 "$NAME"
  run box curl --silent --fail http://10.123.0.1:18082/
  [ "$status" -ne 0 ]
}

@test "a network of the user's, with names" {
  docker network create "$NAME-net"
  background --network "$NAME-net" --network-alias web bb sh -c \
    'echo by name >/var/www/index.html; exec httpd -f -p 80 -h /var/www'
  run docker run --rm --network "$NAME-net" bb sh -c \
    'for i in 1 2 3 4 5; do wget -q -O - http://web/ && exit; sleep 0.2; done'
  assert_run 0 'by name'
  docker rm --force "$NAME"
  docker network rm "$NAME-net"
}

@test "no network" {
  run docker run --rm --network none bb sh -c 'ls /sys/class/net; ping -c 1 -W 1 127.0.0.1'
  assert_run 0
  [ "${lines[0]}" = lo ]
}

# ---- build ---------------------------------------------------------------------------------------

@test "build of three layers on overlay2" {
  mkdir -p "$WORK/context"
  echo copied >"$WORK/context/file"
  cat >"$WORK/context/Dockerfile" <<'END'
FROM debian:bookworm
RUN echo first >/first && useradd --create-home builder
COPY file /second
USER builder
RUN cat /first /second >/tmp/third && id -un >>/tmp/third
CMD ["cat", "/tmp/third"]
END
  run docker build --tag "$NAME:built" "$WORK/context"
  assert_run 0
  run docker run --rm "$NAME:built"
  assert_run 0 $'first\ncopied\nbuilder'
  docker rmi "$NAME:built"
}

@test "build: a step that fails ends it with the step's status" {
  mkdir -p "$WORK/broken"
  printf 'FROM bb\nRUN echo no >&2; exit 42\n' >"$WORK/broken/Dockerfile"
  run docker build "$WORK/broken"
  [ "$status" -ne 0 ]
  assert_contains 'returned a non-zero code: 42'
}

@test "commit keeps what a container changed" {
  docker run --name "$NAME" bb sh -c 'echo kept >/kept'
  docker commit "$NAME" "$NAME:kept"
  run docker run --rm "$NAME:kept" cat /kept
  assert_run 0 kept
  docker rmi "$NAME:kept"
}

@test "a registry on loopback: what is pushed is pulled again" {
  cat >"$WORK/registry.yml" <<END
version: 0.1
log: {accesslog: {disabled: true}, level: error}
storage: {filesystem: {rootdirectory: $WORK/registry}}
http: {addr: 127.0.0.1:5000}
END
  box sh -c 'echo $$ >"$1/registry.pid"; exec docker-registry serve "$1/registry.yml"' - "$WORK" \
    >"$WORK/registry.log" 2>&1 &
  wait_until 20 box curl --silent --fail http://127.0.0.1:5000/v2/ --output /dev/null
  docker run --name "$NAME" bb sh -c 'echo pushed >/pushed'
  docker commit "$NAME" "127.0.0.1:5000/$NAME:one"
  docker push "127.0.0.1:5000/$NAME:one"
  docker rm "$NAME"
  docker rmi "127.0.0.1:5000/$NAME:one"
  run docker run --rm --pull never "127.0.0.1:5000/$NAME:one" cat /pushed
  assert_run 125
  docker pull "127.0.0.1:5000/$NAME:one"
  run docker run --rm --pull never "127.0.0.1:5000/$NAME:one" cat /pushed
  assert_run 0 pushed
  docker rmi "127.0.0.1:5000/$NAME:one"
  box kill -TERM "$(cat "$WORK/registry.pid")"
  wait
}

@test "the page about Docker: what it has a person type" {
  has_controller memory
  run page_run docker.md docker
  assert_run 0
  assert_contains 'ID=debian' 'uid=0(root)' 'sleep 1000'
}

# ---- many ----------------------------------------------------------------------------------------

@test "slow: twenty containers at once" {
  slow
  local i jobs=()
  for i in $(seq 20); do
    docker run --rm bb sh -c "sleep 1; echo $i" >"$WORK/many.$i" &
    jobs+=($!)
  done
  for i in "${jobs[@]}"; do
    wait "$i"
  done
  [ "$(cat "$WORK"/many.* | sort -n | tr '\n' ' ')" = "$(seq -s ' ' 20) " ]
}
