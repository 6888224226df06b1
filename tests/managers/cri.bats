#!/usr/bin/env bats
# Pods through containerd's CRI plugin, as a kubelet makes them, with the configuration of
# docs/containerd.md. No client of the interface is in Debian: curl speaks HTTP/2 to the socket, and
# protoc makes messages of text by cri.proto.

load helpers

setup_file() {
  file_begin containerd ctr skopeo umoci curl protoc iptables
  mkdir -p "$WORK/containerd" "$WORK/cni" "$WORK/logs"
  # the page's own lines, but for systemd, which is not here
  doc_blocks containerd.md toml |
    sed "s|/usr/local/bin/tare|$WORK/bin/runtime|; s/SystemdCgroup = true/SystemdCgroup = false/" \
      >"$WORK/page.toml"
  grep -q "BinaryName = \"$WORK/bin/runtime\"" "$WORK/page.toml"
  {
    grep '^version' "$WORK/page.toml"
    cat <<END
root = "$WORK/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/bb:latest"
  disable_apparmor = true
  # no CAP_SYS_RESOURCE here
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "$WORK/cni"
END
    grep -v '^version' "$WORK/page.toml"
  } >"$WORK/config.toml"
  cat >"$WORK/cni/10-bridge.conflist" <<'END'
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni-pods", "isGateway": true, "ipMasq": false,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.124.0.0/24"}]]}},
  {"type": "loopback"}]}
END
  box_start containerd --config "$WORK/config.toml"
  wait_until 30 answers || { tail -n 20 "$WORK/daemon.log" >&2; return 1; }
  # the image of the sandbox, too: its command has to stay
  make_layout --config.cmd sleep --config.cmd 100000
  save_layout
  box ctr --address /run/containerd/containerd.sock --namespace k8s.io images import "$WORK/bb.tar"
}

teardown_file() {
  file_end
}

setup() {
  NAME=pod-$BATS_TEST_NUMBER
}

teardown() {
  show_trace
  local id
  for id in $(cri ListPodSandbox </dev/null | sed -n 's/^  id: "\(.*\)"/\1/p'); do
    cri StopPodSandbox <<<"pod_sandbox_id: \"$id\"" >&2
    cri RemovePodSandbox <<<"pod_sandbox_id: \"$id\"" >&2
  done
  wait_until 5 quiet_audit || cris_audit
}

answers() {
  box ctr --address /run/containerd/containerd.sock version >/dev/null 2>&1
}

cris_audit() {
  audit 'containerd ' /run/containerd/runc/k8s.io
}

quiet_audit() {
  cris_audit 2>/dev/null
}

# cri METHOD: the message on standard input as text, the reply as text; what the plugin refuses on
# standard error. A message in gRPC is a zero, its length in four bytes, and its bytes.
cri() {
  local proto=("--proto_path=$BATS_TEST_DIRNAME" cri.proto) call=$WORK/call.$BASHPID
  protoc "--encode=runtime.v1.$1Request" "${proto[@]}" >"$call.body"
  {
    printf "$(printf '\\x%02x' 0 0 0)"
    printf "$(printf '\\x%02x\\x%02x' $(($(stat -c %s "$call.body") / 256)) $(($(stat -c %s "$call.body") % 256)))"
    cat "$call.body"
  } >"$call.request"
  box timeout 60 curl --silent --show-error --http2-prior-knowledge \
    --unix-socket /run/containerd/containerd.sock --header 'content-type: application/grpc' \
    --header 'te: trailers' --data-binary "@$call.request" --dump-header "$call.headers" \
    --output "$call.reply" "http://localhost/runtime.v1.RuntimeService/$1" 2>"$call.error" ||
    # a refusal may end the stream before curl has sent all
    grep -q '^grpc-status:' "$call.headers" || { cat "$call.error" >&2; return 1; }
  if ! grep -q $'^grpc-status: 0\r$' "$call.headers"; then
    sed -n 's/^grpc-message: //p' "$call.headers" | tr -d '\r' >&2
    return 1
  fi
  tail -c +6 "$call.reply" | protoc "--decode=runtime.v1.$1Response" "${proto[@]}"
}

# pod [LINUX-TEXT]: runs one; POD is its id, SANDBOX its configuration.
pod() {
  local hostname="hostname: \"$NAME\""
  [[ ${1:-} != *'network: NODE'* ]] || hostname= # that is the node's, as kubelets have it
  SANDBOX="metadata { name: \"$NAME\" uid: \"$NAME\" namespace: \"default\" } $hostname
    log_directory: \"$WORK/logs\" linux { cgroup_parent: \"/$TAG\" ${1:-} }"
  POD=$(cri RunPodSandbox <<<"config { $SANDBOX } runtime_handler: \"tare\"" |
    sed -n 's/^pod_sandbox_id: "\(.*\)"/\1/p')
  [ -n "$POD" ]
}

# create NAME TEXT WORD...: a container of the pod that executes the words; prints its id.
create() {
  local name=$1 text=$2 words
  shift 2
  words=$(for word; do jq -rn --arg w "$word" '"command: " + ($w | tojson)'; done)
  cri CreateContainer <<<"pod_sandbox_id: \"$POD\" sandbox_config { $SANDBOX }
    config { metadata { name: \"$name\" } image { image: \"docker.io/library/bb:latest\" }
      log_path: \"$NAME-$name.log\" $words $text }" | sed -n 's/^container_id: "\(.*\)"/\1/p'
}

start() {
  cri StartContainer <<<"container_id: \"$1\""
}

# launch NAME TEXT WORD...: the same, started; its id in CONTAINER.
launch() {
  CONTAINER=$(create "$@")
  start "$CONTAINER"
}

# status_has ID WORD...
status_has() {
  local reply word
  reply=$(cri ContainerStatus <<<"container_id: \"$1\"")
  shift
  for word; do
    grep -qF "$word" <<<"$reply" || return 1
  done
}

# What it wrote, as a kubelet reads it: a time, the stream, F for a full line.
log() {
  sed -E 's/^[^ ]+ (stdout|stderr) F //' "$WORK/logs/$NAME-$1.log"
}

# exec_sync ID WORD...
exec_sync() {
  local id=$1 words
  shift
  words=$(for word; do jq -rn --arg w "$word" '"cmd: " + ($w | tojson)'; done)
  cri ExecSync <<<"container_id: \"$id\" $words"
}

@test "a pod of the page's handler, with a container: its life" {
  pod
  run cri PodSandboxStatus <<<"pod_sandbox_id: \"$POD\""
  assert_run 0
  assert_contains 'runtime_handler: "tare"' 'ip: "10.124.0.'
  [[ $output != *NOTREADY* ]]
  launch one '' sh -c 'trap "exit 3" TERM; echo up; echo wrong >&2; while :; do sleep 0.1; done'
  status_has "$CONTAINER" 'state: CONTAINER_RUNNING'
  wait_until 10 eval '[ "$(log one | sort)" = $'"'up\nwrong'"' ]'
  run exec_sync "$CONTAINER" sh -c 'hostname; echo error >&2; exit 4'
  assert_run 0
  assert_contains "stdout: \"$NAME\\n\"" 'stderr: "error\n"' 'exit_code: 4'
  cri StopContainer <<<"container_id: \"$CONTAINER\" timeout: 10"
  status_has "$CONTAINER" 'state: CONTAINER_EXITED' 'exit_code: 3'
  cri RemoveContainer <<<"container_id: \"$CONTAINER\""
  cri StopPodSandbox <<<"pod_sandbox_id: \"$POD\""
  run cri PodSandboxStatus <<<"pod_sandbox_id: \"$POD\""
  assert_contains SANDBOX_NOTREADY
}

@test "containers of a pod share its network, host name and, when asked, its processes" {
  pod
  launch web '' sh -c 'echo a page >/var/www/index.html; exec httpd -f -p 80 -h /var/www'
  launch two 'linux { security_context { namespace_options { pid: POD } } }' \
    sh -c 'until wget -q -O - http://127.0.0.1/; do sleep 0.1; done; hostname; cat /proc/1/cmdline'
  wait_until 10 status_has "$CONTAINER" 'state: CONTAINER_EXITED'
  run log two
  assert_contains 'a page' "$NAME" sleep
}

@test "limits, an update of a container that runs, stats" {
  has_controller memory
  pod
  launch one 'linux { resources { memory_limit_in_bytes: 67108864 cpu_quota: 50000 cpu_period: 100000
      cpu_shares: 512 } }' sleep 1000
  local group=/sys/fs/cgroup/memory/$TAG/$CONTAINER/memory.limit_in_bytes
  [ -e "$group" ] || group=/sys/fs/cgroup/$TAG/$CONTAINER/memory.max
  [ "$(cat "$group")" = 67108864 ]
  cri UpdateContainerResources <<<"container_id: \"$CONTAINER\"
    linux { memory_limit_in_bytes: 33554432 }"
  [ "$(cat "$group")" = 33554432 ]
  run cri ContainerStats <<<"container_id: \"$CONTAINER\""
  assert_run 0
  assert_contains "id: \"$CONTAINER\"" usage_core_nano_seconds working_set_bytes
}

@test "one that needs more memory than it may have: OOMKilled" {
  has_controller memory
  pod
  launch one 'linux { resources { memory_limit_in_bytes: 16777216 } }' \
    sh -c 'head -c 100000000 /dev/zero | tail'
  wait_until 20 status_has "$CONTAINER" 'state: CONTAINER_EXITED'
  status_has "$CONTAINER" 'exit_code: 137'
  wait_until 10 status_has "$CONTAINER" 'reason: "OOMKilled"'
}

@test "the security context: user, groups, read-only root, capabilities, seccomp, mounts" {
  echo from outside >"$WORK/file"
  pod 'sysctls { key: "net.ipv4.ip_default_ttl" value: "33" }'
  launch one "mounts { container_path: \"/file\" host_path: \"$WORK/file\" readonly: true }
    working_dir: \"/etc\" envs { key: \"X\" value: \"y\" }
    linux { security_context { run_as_user { value: 1000 } supplemental_groups: 77
      readonly_rootfs: true no_new_privs: true capabilities { drop_capabilities: \"ALL\" }
      masked_paths: \"/proc/keys\" readonly_paths: \"/proc/sys\"
      seccomp { profile_type: RuntimeDefault } } }" sh -c \
    'id -u; id -G; pwd; echo $X; cat /file; touch /x; echo x >/file; cat /proc/keys | wc -l
     grep -E "CapBnd|NoNewPrivs|Seccomp:" /proc/self/status; cat /proc/sys/net/ipv4/ip_default_ttl'
  wait_until 10 status_has "$CONTAINER" 'state: CONTAINER_EXITED'
  run log one
  assert_contains $'1000\n' ' 77' $'/etc\ny\n' 'from outside' 'touch: /x: Read-only' \
    "can't create /file: Read-only" $'CapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n33'
}

@test "the network and the processes of the node; a privileged container" {
  pod 'security_context { namespace_options { network: NODE pid: NODE } privileged: true }'
  launch one 'linux { security_context { privileged: true
      namespace_options { network: NODE pid: NODE } } }' \
    sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid; mount -t tmpfs x /tmp && echo mounted'
  wait_until 10 status_has "$CONTAINER" 'state: CONTAINER_EXITED'
  run log one
  assert_run 0 "$(box readlink /proc/self/ns/net)
$(box readlink /proc/1/ns/pid)
mounted"
}

@test "failures: the kubelet is told the reason" {
  pod
  CONTAINER=$(create missing '' no-such-program)
  run start "$CONTAINER"
  assert_run 1
  assert_contains no-such-program 'executable file not found'
  CONTAINER=$(create text '' /etc/text)
  run start "$CONTAINER"
  assert_run 1
  assert_contains /etc/text 'permission denied'
  CONTAINER=$(create directory 'working_dir: "/etc/text"' true)
  run start "$CONTAINER"
  assert_run 1
  assert_contains /etc/text
  [[ ${output,,} == *'not a directory'* ]]
  mkdir "$WORK/source" # the plugin would make it
  CONTAINER=$(create mount "mounts { container_path: \"/x\" host_path: \"$WORK/source\" }" true)
  rmdir "$WORK/source"
  run start "$CONTAINER"
  assert_run 1
  assert_contains "$WORK/source"
  [[ ${output,,} == *'no such file or directory'* ]]
  make_foreign "$WORK/other"
  CONTAINER=$(create other "mounts { container_path: \"/bin/other\" host_path: \"$WORK/other\" }" \
    /bin/other)
  run start "$CONTAINER"
  if ! is_tare; then # runc starts it, and its init says so where the program would have written
    wait_until 10 status_has "$CONTAINER" 'state: CONTAINER_EXITED'
    run log other
  fi
  assert_contains /bin/other
  [[ ${output,,} == *'exec format error'* ]]
  run create user 'linux { security_context { run_as_username: "nobody-here" } }' true
  assert_contains 'no users found'
  NAME=$NAME-other
  run cri RunPodSandbox <<<"config { metadata { name: \"$NAME\" uid: \"$NAME\" namespace: \"default\" } }
    runtime_handler: \"no-such-handler\""
  assert_run 1
  assert_contains no-such-handler
}

@test "a limit that is too low: the kubelet is told the reason" {
  has_controller memory
  pod
  CONTAINER=$(create one 'linux { resources { memory_limit_in_bytes: 1024 } }' true)
  run start "$CONTAINER"
  assert_run 1
  assert_contains 'memory limit'
}
