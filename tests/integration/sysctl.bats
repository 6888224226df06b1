#!/usr/bin/env bats
# linux.sysctl: only what the kernel keeps per namespace, and only in a namespace of the container's
# own. T17, T18.

load helpers
load inside

# refused KEY VALUE TEXT: create fails with this one line, before anything is written
refused() {
  cp "$BUNDLE/base.json" "$BUNDLE/config.json"
  config '.linux.sysctl = {"net.ipv4.ip_default_ttl": "1", ($key): $value}' --arg key "$1" --arg value "$2"
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "$3"
  assert_nothing_left
}

@test "sysctl: with dots, with slashes, with a dot in a name; of every namespace" {
  make_bundle sh -c 'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/net/ipv4/conf/lo/forwarding \
    /proc/sys/kernel/shmmax /proc/sys/kernel/sem /proc/sys/fs/mqueue/msg_max'
  config '.linux.sysctl = {"net.ipv4.ip_default_ttl": "77", "net/ipv4/conf/lo/forwarding": "1",
          "kernel.shmmax": "123456", "kernel.sem": "1 2 3 4", "fs.mqueue.msg_max": "20"}'
  local before
  before=$(cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmax)
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_success
  assert_output $'77\n1\n123456\n1\t2\t3\t4\n20'
  [ "$(cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmax)" = "$before" ]
}

@test "sysctl: domainname is the uts namespace's; an unknown key is the kernel's to refuse" {
  make_bundle cat /proc/sys/kernel/domainname
  config '.linux.sysctl = {"kernel.domainname": "example.org"}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output example.org
  only_tare
  config '.linux.sysctl = {"net.ipv4.nonesuch": "1"}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "sysctl 'net/ipv4/nonesuch': write '1': No such file or directory"
  config '.linux.sysctl = {"net.ipv4.ip_default_ttl": "many"}'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "sysctl 'net/ipv4/ip_default_ttl': write 'many': Invalid argument"
  assert_nothing_left
}

@test "sysctl: user.* in a user namespace" {
  only_tare # the peers know none of user.*
  make_bundle cat /proc/sys/user/max_ipc_namespaces
  chmod 755 "$WORK"
  chown -R 100000:100000 "$BUNDLE/rootfs"
  config '.linux.sysctl = {"user.max_ipc_namespaces": "5"} | .linux.namespaces += [{type: "user"}]
    | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_output 5
}

@test "sysctl: keys that lead elsewhere, values of two lines, the host's" {
  only_tare
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  local key before
  before=$(cat /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_default_ttl)
  for key in kernel.core_pattern kernel.hostname kernel.panic vm.overcommit_memory fs.file-max kernel.shmmaxx kernel.shm \
    kernel/core_pattern KERNEL.SHMMAX fs.mqueue sysctl.net.ipv4; do
    refused "$key" x "linux.sysctl: '$key' is not kept per namespace"
  done
  for key in net.a/../../kernel/core_pattern net/../kernel/hostname net/a/../../kernel/hostname '' net..ipv4 net. \
    /net/ipv4/ip_forward net//ipv4 net/./ipv4 net/ipv4/.. ../net/x; do
    refused "$key" x "linux.sysctl: '$key' is not"
  done
  refused net.ipv4.ip_forward $'1\n2' "linux.sysctl: the value of 'net.ipv4.ip_forward' has more than one line"
  printf '%s' "$(jq '.linux.sysctl = {"net.ipv4.ip_forward": "KEEP"}' "$BUNDLE/base.json")" | sed 's/KEEP/1\\u0000/' >"$BUNDLE/config.json"
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "u0000"
  [ "$(cat /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_default_ttl)" = "$before" ]
}

@test "sysctl: without a namespace of its own, or with the host's by its path" {
  only_tare
  make_bundle true
  cp "$BUNDLE/config.json" "$BUNDLE/base.json"
  local type key path
  while read -r type key; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.linux.sysctl = {($key): "1"} | .linux.namespaces |= map (select (.type != $type)) | del (.hostname)' --arg key "$key" --arg type "$type"
    run_rt create --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 "linux.sysctl: '$key' needs a $type namespace of its own"
  done <<'LIST'
network net.ipv4.ip_forward
network net/core/somaxconn
ipc kernel.shmmax
ipc kernel.msgmni
ipc fs.mqueue.queues_max
uts kernel.domainname
user user.max_ipc_namespaces
LIST
  for path in /proc/self/ns/net "/proc/$$/ns/net"; do
    cp "$BUNDLE/base.json" "$BUNDLE/config.json"
    config '.linux.sysctl = {"net.ipv4.ip_default_ttl": "1"} | (.linux.namespaces[] | select (.type == "network")).path = $path' --arg path "$path"
    run_rt create --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 "linux.namespaces: '$path' is the host's own network namespace"
  done
  assert_nothing_left
}
