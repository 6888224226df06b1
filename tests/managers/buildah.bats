#!/usr/bin/env bats
# Buildah, which runs each step of a build, and `buildah run`, by the runtime's create, start, state
# and delete, without a monitor between: images and containers in a storage of the file's own.

load helpers

setup_file() {
  file_begin buildah /usr/lib/podman/netavark script
  cat >"$WORK/containers.conf" <<END
[containers]
default_ulimits = []
[network]
network_backend = "netavark"
network_config_dir = "$WORK/networks"
END
  export CONTAINERS_CONF=$WORK/containers.conf
  export BUILDAH_ISOLATION=oci BUILDAH_RUNTIME=$WORK/bin/runtime
  box_start
  make_busybox "$WORK/busybox"
  tar -C "$WORK/busybox" -c . >"$WORK/bb.tar"
  local container
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$WORK/bb.tar" / >/dev/null
  buildah config --cmd sh --env PATH=/bin "$container"
  buildah commit --quiet --rm "$container" bb >/dev/null
}

teardown_file() {
  file_end
}

setup() {
  CONTEXT=$WORK/context-$BATS_TEST_NUMBER
  mkdir -p "$CONTEXT"
}

teardown() {
  show_trace
  buildah rm --all >&2
  wait_until 5 quiet_audit || buildahs_audit
}

buildah() {
  box timeout --foreground 60 buildah --root "$WORK/storage" --runroot /run/storage \
    --storage-driver overlay "$@"
}

buildahs_audit() {
  audit 'nothing' /run/tare /run/runc
}

quiet_audit() {
  buildahs_audit 2>/dev/null
}

# container [OPTION...]: from the image; its name in CONTAINER.
container() {
  CONTAINER=$(buildah from --cgroup-parent "/$TAG" "$@" localhost/bb)
}

# build [OPTION...]: of CONTEXT, by the Containerfile on standard input.
build() {
  cat >"$CONTEXT/Containerfile"
  buildah bud --cgroup-parent "/$TAG" "$@" "$CONTEXT"
}

@test "from and run: says hello, hands on the exit status, reads standard input" {
  container
  run --separate-stderr buildah run "$CONTAINER" sh -c 'echo hello; echo error >&2'
  assert_run 0 hello
  [ "$stderr" = error ]
  run buildah run "$CONTAINER" sh -c 'exit 7'
  assert_run 7
  run buildah run "$CONTAINER" cat <<<'a line'
  assert_run 0 'a line'
}

@test "run -t: a shell on a terminal" {
  container
  run terminal '1:tty; test -t 0 && echo "on a terminal"' '1:exit 3' -- buildah \
    --root "$WORK/storage" --runroot /run/storage --storage-driver overlay run -t "$CONTAINER" sh
  assert_run 3
  assert_contains /dev/pts/0 'on a terminal'
}

@test "run: user, directory, environment, hostname, volume, tmpfs" {
  container
  mkdir -p "$WORK/volume"
  run buildah run --user 1000 --workingdir /etc --env X=y --hostname h.example \
    --volume "$WORK/volume:/in:ro" --mount type=tmpfs,dst=/scratch,tmpfs-size=1m "$CONTAINER" sh -c \
    'id -u; pwd; echo $X; hostname; df -k /scratch | tail -n 1; touch /in/x'
  assert_run 1
  assert_contains $'1000\n/etc\ny\nh.example\n' ' 1024 ' 'touch: /in/x: Read-only'
}

@test "run: what one leaves the next finds; commit, and another container from it" {
  container
  buildah run "$CONTAINER" sh -c 'echo by hand >/by-hand; mkdir /var/www/x'
  run buildah run --user user "$CONTAINER" cat /by-hand
  assert_run 0 'by hand'
  buildah config --cmd 'cat /by-hand' "$CONTAINER"
  buildah commit --quiet --rm "$CONTAINER" kept >/dev/null
  CONTAINER=$(buildah from kept)
  run buildah run "$CONTAINER" ls -d /by-hand /var/www/x
  assert_run 0 $'/by-hand\n/var/www/x'
  buildah rm "$CONTAINER"
  buildah rmi kept
}

@test "capabilities, seccomp, rlimits, namespaces, networks" {
  container --ulimit nofile=77:88 --ulimit nproc=100
  run buildah run --cap-drop all "$CONTAINER" sh -c \
    'grep -E "CapBnd|CapEff|Seccomp:" /proc/self/status; ulimit -n; ulimit -Hn; exec cat /proc/[0-9]*/comm'
  assert_run 0 $'CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nSeccomp:\t2\n77\n88\ncat'
  run buildah run --cap-add CAP_SYS_PTRACE --cap-drop CAP_KILL "$CONTAINER" sh -c \
    'set -- $(grep CapEff /proc/self/status); echo $((0x$2 >> 19 & 1)) $((0x$2 >> 5 & 1)) $((0x$2 & 1))'
  assert_run 0 '1 0 1'
  run buildah run "$CONTAINER" ls /sys/class/net
  assert_run 0 $'eth0\nlo'
  run buildah run --network none "$CONTAINER" ls /sys/class/net
  assert_run 0 lo
  run buildah run --network host "$CONTAINER" readlink /proc/self/ns/net
  assert_run 0 "$(box readlink /proc/self/ns/net)"
}

@test "build of several layers, that a second build takes as they are" {
  echo copied >"$CONTEXT/file"
  cat >"$CONTEXT/Containerfile" <<'END'
FROM localhost/bb
ENV WORD=env
RUN echo first >/first && chmod 600 /first
COPY file /second
RUN cat /first /second >/third && echo $WORD >>/third
USER user
WORKDIR /tmp
RUN id -un >here
CMD ["cat", "/third", "/tmp/here"]
END
  run buildah bud --layers --cgroup-parent "/$TAG" --tag built "$CONTEXT"
  assert_run 0
  [[ $output != *'Using cache'* ]]
  run buildah bud --layers --cgroup-parent "/$TAG" --tag built "$CONTEXT"
  assert_run 0
  assert_contains 'Using cache'
  CONTAINER=$(buildah from built)
  run buildah run "$CONTAINER" cat /third here
  assert_run 0 $'first\ncopied\nenv\nuser'
  run buildah inspect --format '{{len .OCIv1.History}}' built
  [ "$output" -gt 7 ]
  buildah rm "$CONTAINER"
  buildah rmi built
}

@test "build in stages, with mounts, a secret and an argument" {
  echo 'the secret' >"$CONTEXT/secret"
  echo bound >"$CONTEXT/bound"
  run build --tag stages --secret "id=s,src=$CONTEXT/secret" --build-arg WHAT=told <<'END'
FROM localhost/bb AS one
ARG WHAT
RUN --mount=type=secret,id=s --mount=type=bind,src=bound,dst=/tmp/bound --mount=type=tmpfs,dst=/root \
  cat /run/secrets/s /tmp/bound >/made && echo $WHAT >>/made && echo x >/root/gone
FROM localhost/bb
COPY --from=one /made /made
RUN test ! -e /run/secrets/s && test ! -e /root/gone
END
  assert_run 0
  CONTAINER=$(buildah from stages)
  run buildah run "$CONTAINER" cat /made
  assert_run 0 $'the secret\nbound\ntold'
  buildah rm "$CONTAINER"
  buildah rmi stages
}

@test "build with limits, felt by a step" {
  has_controller memory
  run build --memory 64m --cpu-shares 512 <<'END'
FROM localhost/bb
RUN cat $(find /sys/fs/cgroup -name memory.limit_in_bytes -o -name memory.max | head -n 1) || true
END
  assert_run 0
  run build --memory 16m --memory-swap 16m <<'END'
FROM localhost/bb
RUN head -c 100000000 /dev/zero | tail >/dev/null
END
  [ "$status" -ne 0 ]
  assert_contains 137
}

@test "build: a step that fails ends it with the step's status" {
  run build <<<$'FROM localhost/bb\nRUN echo no >&2; exit 42'
  assert_run 42
  assert_contains no 42
}

@test "a missing program, one that is not executable, a directory that is none: the user is told" {
  container
  run buildah run "$CONTAINER" no-such-program
  [ "$status" -ne 0 ]
  assert_contains no-such-program 'executable file not found'
  run buildah run "$CONTAINER" /etc/text
  [ "$status" -ne 0 ]
  assert_contains /etc/text 'permission denied'
  run buildah run --workingdir /etc/text "$CONTAINER" true
  [ "$status" -ne 0 ]
  assert_contains /etc/text
  [[ ${output,,} == *'not a directory'* ]]
}

@test "a user, a source of a mount that is none, an image for another machine: the user is told" {
  container
  run buildah run --user nobody-here "$CONTAINER" true
  [ "$status" -ne 0 ]
  assert_contains nobody-here 'unknown user'
  run buildah run --runtime "$WORK/bin/runtime-mount" "$CONTAINER" true
  [ "$status" -ne 0 ]
  assert_contains /no/such/source
  [[ ${output,,} == *'no such file or directory'* ]]
  make_foreign "$CONTEXT/other"
  CONTAINER=$(buildah from scratch)
  buildah add --quiet "$CONTAINER" "$CONTEXT/other" /bin/other
  buildah config --arch s390x "$CONTAINER"
  buildah commit --quiet --rm "$CONTAINER" other
  CONTAINER=$(buildah from --cgroup-parent "/$TAG" --arch s390x --pull-never localhost/other)
  run buildah run "$CONTAINER" /bin/other
  [ "$status" -ne 0 ]
  assert_contains /bin/other
  [[ ${output,,} == *'exec format error'* ]]
  run build --arch s390x <<<$'FROM localhost/other\nRUN ["/bin/other"]'
  [ "$status" -ne 0 ]
  [[ ${output,,} == *'exec format error'* ]]
  buildah rm --all
  buildah rmi other
}

@test "a hook that fails, a limit that is too low: the user is told" {
  container
  run buildah run --runtime "$WORK/bin/runtime-hook" "$CONTAINER" true
  [ "$status" -ne 0 ]
  assert_contains hook 'had enough'
  has_controller memory
  run buildah run --runtime "$WORK/bin/runtime-limit" "$CONTAINER" true
  [ "$status" -ne 0 ]
  assert_contains memory
}

@test "the page about Buildah: what it has a person type" {
  run page_run buildah.md buildah --root "$WORK/storage" --runroot /run/storage \
    --storage-driver overlay
  assert_run 0
  assert_contains 'by hand'
  buildah rmi made
}
