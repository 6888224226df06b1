#!/usr/bin/env bats
# Seccomp as the program meets it (config-linux.md "Seccomp"). What a profile becomes, number for
# number, is the business of tests/unit/test-seccomp-profile.

load helpers
load inside

setup_file() {
  file_begin
  cp "$(tool call)" "$WORK/rootfs/bin/call"
}

# profile FILTER: linux.seccomp is what jq makes of it.
profile() {
  config ".linux.seccomp = ($1)"
}

# calls ABI NUMBER...: what each comes to, in the container.
calls() {
  config '.process.args = ["call"] + $ARGS.positional' --args "$@"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
}

@test "errnoRet, defaultErrnoRet, EPERM without; arguments" {
  make_bundle true
  profile '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [
    {names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 28},
    {names: ["rmdir"], action: "SCMP_ACT_ERRNO"},
    {names: ["getpriority"], action: "SCMP_ACT_ERRNO", errnoRet: 5, args: [{index: 0, value: 4294967296, op: "SCMP_CMP_EQ"}]},
    {names: ["chmod"], action: "SCMP_ACT_ERRNO", errnoRet: 7, args: [
      {index: 0, value: 1, op: "SCMP_CMP_EQ"}, {index: 0, value: 2, op: "SCMP_CMP_EQ"}]},
    {names: ["fchmod"], action: "SCMP_ACT_ERRNO", errnoRet: 9, args: [
      {index: 0, value: 240, valueTwo: 16, op: "SCMP_CMP_MASKED_EQ"}, {index: 1, value: 3, op: "SCMP_CMP_GT"}]}]}'
  # mkdir, rmdir, getpriority, chmod, fchmod; then what no rule catches
  calls native 83 84 140,0x100000000 90,1 90,2 91,0x1f,4 140,0x100000009 90,3 91,0x2f,4 91,0x1f,3
  assert_success
  [ "$(head -6 <<<"$output" | cut -d ' ' -f 2 | xargs)" = "-28 -1 -5 -7 -7 -9" ]
  [ "$(tail -4 <<<"$output" | cut -d ' ' -f 2 | xargs)" = "-22 -14 -9 -9" ]
}

@test "a call that is newer than the profile does not exist; a forbidden one is forbidden" {
  make_bundle true
  # the newest is openat2, 437; 9: exec and what busybox-like programs start with are allowed all
  profile '{defaultAction: "SCMP_ACT_ERRNO", syscalls: [{action: "SCMP_ACT_ALLOW",
    names: ["openat2", "execve", "execveat", "write", "exit_group", "brk", "arch_prctl", "set_tid_address", "set_robust_list",
      "rseq", "prlimit64", "mprotect", "getrandom", "newfstatat", "fstat", "readlink", "readlinkat", "ioctl", "mmap", "munmap"]}]}'
  calls native 83 438 439 9999
  assert_success
  assert_output $'83 -1\n438 -38\n439 -38\n9999 -38'
  only_tare # runc does not know how libseccomp numbers sockets on i386, see test-seccomp-profile
  profile '.linux.seccomp + {architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]}'
  calls i386 39 436 440
  assert_success
  assert_output $'39 -1\n436 -1\n440 -38'
}

@test "i386 and x32, in the profile or not" {
  [ "$(uname -m)" = x86_64 ] || skip "x86_64 alone has these"
  make_bundle true
  profile '{defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
  calls i386 39
  assert_output "39 -28"
  calls x32 83
  assert_output "83 -28"
  # A way round the filter it must not be: the process is killed.
  profile '.linux.seccomp | .architectures = ["SCMP_ARCH_X86_64"]'
  calls i386 39
  [ "$status" -eq 159 ]
  [ -z "$output" ]
  calls x32 83
  [ "$status" -eq 159 ]
}

@test "actions: the process, the thread, a signal; LOG and TRACE without a tracer" {
  make_bundle true
  local action
  for action in KILL KILL_PROCESS KILL_THREAD TRAP; do
    profile "{defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{names: [\"mkdir\"], action: \"SCMP_ACT_$action\"}]}"
    calls native 83
    [ "$status" -eq 159 ] # SIGSYS
    [ -z "$output" ]
  done
  profile '{defaultAction: "SCMP_ACT_LOG", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_TRACE", errnoRet: 3}]}'
  calls native 83 84
  assert_success
  assert_output $'83 -38\n84 -14'
}

@test "all twenty-three architectures, and names that nobody knows" {
  make_bundle true
  profile '{defaultAction: "SCMP_ACT_ALLOW", architectures: [("X86", "X86_64", "X32", "ARM", "AARCH64", "LOONGARCH64", "M68K",
      "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64", "MIPSEL64N32", "PPC", "PPC64", "PPC64LE", "S390", "S390X", "SH", "SHEB",
      "PARISC", "PARISC64", "RISCV64") | "SCMP_ARCH_" + .],
    syscalls: [{names: ["nobody_knows", "mkdir", "s390_pci_mmio_read"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
  only_tare # the others fail for those that libseccomp does not know
  calls native 83
  assert_success
  assert_output "83 -28"
  config '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "linux.seccomp.syscalls[0]: 'nobody_knows' is not known"
  assert_nothing_left
  config '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "0"'
  calls native 83
  assert_success
}

@test "flags: what seccomp(2) is given" {
  only_tare
  command -v strace >/dev/null
  make_bundle true
  local want flags
  while read -r want flags; do
    profile "{defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{names: [\"mkdir\"], action: \"SCMP_ACT_ERRNO\"}]} + $flags"
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 timeout 120 strace -f -qq -e trace=seccomp -e signal=none -o "$BUNDLE/trace" \
      "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
    [ "$(sed -n 's/.*seccomp(SECCOMP_SET_MODE_FILTER, \([^,]*\),.*= 0.*/\1/p' "$BUNDLE/trace")" = "$want" ]
  done <<'END'
SECCOMP_FILTER_FLAG_SPEC_ALLOW {}
0 {flags: []}
SECCOMP_FILTER_FLAG_TSYNC|SECCOMP_FILTER_FLAG_LOG {flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"]}
SECCOMP_FILTER_FLAG_SPEC_ALLOW {flags: ["SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}
END
}

@test "a filter that allows no exit and no word: a failure ends all the same" {
  only_tare
  make_bundle no-such-program
  profile '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["exit", "exit_group"], action: "SCMP_ACT_ERRNO"}]}'
  config '.process.noNewPrivileges = false'
  EXPECT=127 run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 127 "executable file not found"
  profile '.linux.seccomp | .syscalls[0].names += ["sendmsg"]'
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "tare-init was killed by signal"
  assert_nothing_left
}

# instructions of struct sock_filter, each "code jt jf k", as base64
program() {
  local code jt jf k
  while read -r code jt jf k; do
    # shellcheck disable=SC2059
    printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((code & 255)) $((code >> 8)) "$jt" "$jf")"
    # shellcheck disable=SC2059
    printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((k & 255)) $((k >> 8 & 255)) $((k >> 16 & 255)) $((k >> 24 & 255)))"
  done | base64 -w 0
}

@test "run.oci.seccomp_bpf_data: a program as it is, never in the place of a profile" {
  only_tare
  [ "$(printf '\1\0\0\0' | od -An -t u4 | tr -d ' ')" -eq 1 ] || skip "a machine with its lowest byte first"
  make_bundle true
  local bytes
  # ld nr; jeq 83, 0, 1; ret ERRNO | 28; ret ALLOW
  bytes=$(program <<<$'32 0 0 0\n21 0 1 83\n6 0 0 0x5001c\n6 0 0 0x7fff0000')
  config '.annotations["run.oci.seccomp_bpf_data"] = $b' --arg b "$bytes"
  calls native 83 84
  assert_output $'83 -28\n84 -14'
  # which an image can bring: Podman hands on its annotations
  profile '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["rmdir"], action: "SCMP_ACT_ERRNO"}]}'
  run_rt create --bundle "$BUNDLE" "$ID"
  assert_error 1 "annotations.run.oci.seccomp_bpf_data: not beside linux.seccomp"
  assert_nothing_left
  config 'del (.linux.seccomp)'
  for bytes in "" "=" "AAA" "AA=A" "AAAA AAA" "AAAAAAAAAA=="; do
    config '.annotations["run.oci.seccomp_bpf_data"] = $b' --arg b "$bytes"
    run_rt create --bundle "$BUNDLE" "$ID"
    assert_error 1 "annotations.run.oci.seccomp_bpf_data"
  done
  config '.annotations["run.oci.seccomp_bpf_data"] = $b' --arg b "$(program <<<'6 0 0 0x7fff0000' | sed 's/AAAG/BQAA/;s/^BgAAAA/BQAAAA/')"
  run_rt run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "load the filter"
  assert_nothing_left
}

@test "what cannot be" {
  make_bundle true
  local filter words
  while IFS='|' read -r words filter; do
    profile "$filter"
    run_rt create --bundle "$BUNDLE" "$ID"
    [ "$status" -ne 0 ]
    ! is_tare || assert_error 1 "$words"
    rt delete --force "$ID" 2>/dev/null || true
  done <<'END'
linux.seccomp.defaultAction: required|{}
linux.seccomp.defaultAction: "SCMP_ACT_NONE" is not one of|{defaultAction: "SCMP_ACT_NONE"}
linux.seccomp.defaultErrnoRet: is only for|{defaultAction: "SCMP_ACT_KILL", defaultErrnoRet: 1}
linux.seccomp.syscalls[0].errnoRet: is only for|{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_KILL", errnoRet: 1}]}
linux.seccomp.syscalls[0].args[0].index: 6 is not 0 to 5|{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_KILL", args: [{index: 6, value: 1, op: "SCMP_CMP_EQ"}]}]}
linux.seccomp.syscalls[0].args[0].op: "SCMP_CMP_IN" is not one of|{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_KILL", args: [{index: 0, value: 1, op: "SCMP_CMP_IN"}]}]}
linux.seccomp.architectures[0]: "SCMP_ARCH_VAX" is not one of|{defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_VAX"]}
linux.seccomp.flags[0]: "SECCOMP_FILTER_FLAG_NEW_LISTENER" is not one of|{defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}
END
  assert_nothing_left
}
