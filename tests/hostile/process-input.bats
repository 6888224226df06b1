#!/usr/bin/env bats
# What a config half under an image's control can do to the process: T34, T45, T66, T78.

load ../integration/helpers
load ../integration/inside

@test "T34 exec: neither cwd nor the program leads through a descriptor of the runtime" {
  only_tare
  make_bundle sleep 1000
  create
  rt start "$ID"
  local fd
  for fd in 3 4 5 7 9 12; do
    run --separate-stderr bash -c 'exec 7</ 8</etc 9</tmp; exec "$@"' - "$RUNTIME" --root "$ROOT" exec --cwd "/proc/self/fd/$fd" "$ID" pwd </dev/null 3>&-
    [ "$status" -ne 0 ] || fail_with "cwd by $fd"
    EXPECT=127 run_rt exec "$ID" "/proc/self/fd/$fd/bin/true" </dev/null
    assert_error 127 "no such file or directory"
  done
}

# Whatever the filter forbids init: an error, or the program under the filter; never without it.
@test "T45: filters that are in the way of init itself" {
  make_bundle grep '^Seccomp:' /proc/self/status
  local call nnp
  for call in setresuid setresgid setgroups capset close_range execve execveat write sendmsg exit_group prctl seccomp; do
    for nnp in true false; do
      config '.process.noNewPrivileges = $nnp | .process.user = {uid: 5, gid: 5}
        | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: [$call], action: "SCMP_ACT_ERRNO"}]}' \
        --argjson nnp $nnp --arg call $call
      run timeout --kill-after=5 60 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
      [ "$status" -ne 124 ] && [ "$status" -ne 137 ] || fail_with "$call, $nnp: it hangs"
      [[ $output != *"Seccomp:"* ]] || [[ $output == *"Seccomp:"*2* ]] || fail_with "$call, $nnp: without the filter"
      rt delete --force "$ID" 2>/dev/null || true
    done
  done
}

# A link that comes and goes: it leads to a directory of the container's, or there is an error.
@test "T66: cwd and program exchanged while exec goes on" {
  only_tare
  make_bundle attack swap /x/a /x/b
  cp "$(tool attack)" "$BUNDLE/rootfs/bin/attack"
  mkdir -p "$BUNDLE/rootfs/x/a/bin" "$BUNDLE/rootfs/etc"
  cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/x/a/bin/cat"
  ln -s "/../../../../../../$WORK/.." "$BUNDLE/rootfs/x/b"
  echo of-the-image >"$BUNDLE/rootfs/etc/marker"
  config '.root.readonly = false'
  create
  rt start "$ID"
  local i got
  # not by run, which takes a 127 for a mistake of the test
  for ((i = 0; i < 20; i++)); do
    got=$(rt exec --cwd /x/a "$ID" cat /etc/marker </dev/null 2>/dev/null) || got=refused
    case $got in of-the-image | refused) ;; *) echo "cwd, $i: $got" >&2; return 1 ;; esac
    got=$(timeout 60 "$RUNTIME" --root "$ROOT" exec "$ID" /x/a/bin/cat /etc/marker </dev/null 2>/dev/null 3>&-) || got=refused
    case $got in of-the-image | refused) ;; *) echo "program, $i: $got" >&2; return 1 ;; esac
  done
}

@test "T78: control characters in paths and arguments make no second line, no escape, no second record" {
  only_tare
  make_bundle true
  local evil=$'no\nlevel=error msg="x"\e[31m\r"}{\\'
  config '.process.args = [$evil]' --arg evil "$evil"
  EXPECT=127 run_rt --log "$WORK/log.json" --log-format json run --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 127 "executable file not found"
  [[ $stderr != *$'\e'* ]] && [[ $stderr != *$'\r'* ]]
  assert_one_record "$WORK/log.json" "executable file not found"
  [ "$(wc -l <"$WORK/log.json")" -eq 1 ]
  EXPECT=127 run_rt --log "$WORK/log.text" run --bundle "$BUNDLE" "$ID" </dev/null
  [ "$(wc -l <"$WORK/log.text")" -eq 1 ]
  [[ $(cat "$WORK/log.text") != *$'\e'* ]]
  run_rt run --bundle "/nonesuch-$evil" "$ID" </dev/null
  [ "${#stderr_lines[@]}" -eq 1 ] && [[ $stderr != *$'\e'* ]]
  run_rt state "$evil"
  [ "$status" -ne 0 ] && [ "${#stderr_lines[@]}" -eq 1 ] && [[ $stderr != *$'\e'* ]]
}
