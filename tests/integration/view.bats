#!/usr/bin/env bats
# The same bundle under another runtime and under this one: from inside, both look the same.
# The few differences that are meant are listed in tests/lib/compare-view.
# views: v1 v2

load helpers
load inside

setup_file() {
  is_tare || skip "it compares tare with others"
  file_begin
}

# The peer: one that works with every layout of control groups, which crun does not.
same() {
  local peer
  peer=$(command -v "${PEER:-runc}") || { echo "no ${PEER:-runc}: a package of the tests" >&2; return 1; }
  run "$TOP/tests/lib/compare-view" "$BUNDLE" "$RUNTIME" "$peer" 3>&-
  assert_success
}

@test "the comparison can fail" {
  make_bundle sh
  printf '#!/bin/sh\nulimit -c 7\nexec runc "$@"\n' >"$WORK/other"
  chmod +x "$WORK/other"
  run "$TOP/tests/lib/compare-view" "$BUNDLE" "$RUNTIME" "$WORK/other" 3>&-
  [ "$status" -eq 1 ]
  [[ $output == *"+Max core file size"* ]]
}

@test "the default container" {
  make_bundle sh
  same
}

@test "an ordinary user, groups, capabilities, limits" {
  make_bundle sh
  mkdir -p "$BUNDLE/rootfs/home/me"
  config '.process.user = {uid: 1000, gid: 1001, additionalGids: [10, 20], umask: 23} | .process.cwd = "/home/me"
          | .process.noNewPrivileges = false | .process.oomScoreAdj = 100
          | .process.capabilities = ({bounding: 1, effective: 1, permitted: 1, inheritable: 1, ambient: 1}
              | map_values (["CAP_CHOWN", "CAP_NET_RAW"]))
          | .process.rlimits += [{type: "RLIMIT_CORE", soft: 1, hard: 2}, {type: "RLIMIT_NPROC", soft: 50, hard: 60}]'
  same
}

@test "a writable root, more mounts, no masks, fewer namespaces" {
  make_bundle sh
  mkdir -p "$WORK/source" "$BUNDLE/rootfs/data"
  config '.root.readonly = false | del (.linux.maskedPaths, .linux.readonlyPaths, .hostname)
          | .linux.namespaces |= map (select (.type == "mount" or .type == "pid" or .type == "cgroup"))
          | .mounts |= map (select (.destination != "/sys" and .destination != "/sys/fs/cgroup"))
          | .mounts += [{destination: "/data", type: "bind", source: $source, options: ["rbind", "ro", "nosuid"]},
                        {destination: "/made/here", type: "tmpfs", source: "t", options: ["nosuid", "noexec", "size=4m", "mode=700"]},
                        {destination: "/shared", type: "bind", source: $source, options: ["bind", "rslave"]}]' --arg source "$WORK/source"
  same
}

@test "a user namespace" {
  make_bundle sh
  chmod 755 "$WORK"
  chown -R 100000:100000 "$BUNDLE/rootfs"
  config '.linux.namespaces += [{type: "user"}]
          | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
          | .linux.gidMappings = .linux.uidMappings'
  same
}
