#!/usr/bin/env bats
# Callers with little to give: low limits, closed descriptors, signals, umasks, no environment, full
# and read-only disks, a kernel that executes no memfd. It works, or one line says why not; nothing
# is left, and it can be deleted.
# views: v2

load helpers
load inside

setup_file() {
  is_tare || skip "how others fail is their own business"
  file_begin
  LAUNCH=$(tool launch)
  export LAUNCH
}

# limited OPTION...: the whole life of a container under the launcher's options. Every verb succeeds,
# or fails with one line; afterwards delete works without them. How many failed: $failed.
limited() {
  failed=0
  local verb log=$WORK/limited
  [ -p "$log.fifo" ] || mkfifo "$log.fifo"
  exec 8<>"$log.fifo"
  for verb in "create --bundle $BUNDLE" start state "kill" "delete --force"; do
    local result=0
    # stderr is a FIFO, which a limit of file sizes does not concern; a created container keeps it open
    # shellcheck disable=SC2086
    timeout 30 "$LAUNCH" "$@" "$RUNTIME" --root "$ROOT" $verb "$ID" </dev/null >"$log.out" 2>&8 8>&- 3>&- || result=$?
    dd if="$log.fifo" of="$log.err" iflag=nonblock status=none 2>/dev/null || true
    [ $result -lt 124 ] || { echo "$*: $verb: status $result: $(cat "$log.err")" >&2; return 1; }
    if [ $result -ne 0 ]; then
      failed=$((failed + 1))
      [ "$(wc -l <"$log.err")" -eq 1 ] || [[ $* == *"--close 2"* ]] || { echo "$*: $verb: not one line: $(cat "$log.err")" >&2; return 1; }
    fi
  done
  exec 8>&-
  rt delete --force "$ID"
  assert_nothing_left
  [ -z "$(processes_of "$BUNDLE")" ]
}

# ---- limits --------------------------------------------------------------------------------------

@test "few descriptors: from none to enough" {
  [ -z "${TARE_SANITIZED:-}" ] || skip "AddressSanitizer's build loads libraries, which needs descriptors; the ordinary build runs this"
  make_bundle sleep 100
  config 'del (.process.rlimits)'
  local n enough=
  for n in 3 4 5 6 8 10 12 16 20 24 32 64; do
    limited --limit nofile $n
    [ $failed -gt 0 ] || enough=${enough:-$n}
  done
  echo "enough: ${enough:-never}" >&2
  [ -n "$enough" ] && [ "$enough" -le 64 ] # hybrid: one for each hierarchy
}

@test "no file may grow" {
  make_bundle sleep 100
  local n
  for n in 0 1 100; do
    limited --limit fsize $n
    [ $failed -gt 0 ]
  done
}

@test "a file size limit is the program's too, not what killed us" {
  make_bundle sh -c 'ulimit -f'
  config '.process.rlimits = []'
  run "$LAUNCH" --limit fsize 1048576 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_output 2048
}

@test "little memory: from nothing to enough" {
  [ -z "${TARE_SANITIZED:-}" ] || skip "AddressSanitizer needs terabytes of address space; the ordinary build runs this"
  make_bundle sleep 100
  local megabytes
  for megabytes in 4 5 6 8 16; do
    # below, the kernel does not even execute the program
    limited --limit as $((megabytes << 20)) || fail_with "$megabytes MiB"
  done
  limited --limit as $((64 << 20))
  [ $failed -eq 0 ]
}

@test "one process only" {
  make_bundle sleep 100
  limited --limit nproc 1
  [ $failed -eq 0 ] # root is not counted
}

# ---- descriptors ---------------------------------------------------------------------------------

@test "closed standard streams: nothing else takes their place inside" {
  # each in a subshell, for the shell redirects its own descriptors while another program runs; nothing
  # that counts comes last, for that it would do itself
  make_bundle sh -c 'for n in 0 1 2; do (readlink /proc/1/fd/$n) >>/out/$1; done; (ls /proc/1/fd | wc -l) >>/out/$1; true' - name
  mkdir "$BUNDLE/out"
  config '.mounts += [{destination: "/out", type: "bind", source: $out, options: ["bind"]}]' --arg out "$BUNDLE/out"
  local set n options
  for set in 0 1 2 01 02 12 012; do
    config '.process.args[4] = $name' --arg name "$set"
    options=()
    for ((n = 0; n < ${#set}; n++)); do
      options+=(--close "${set:n:1}")
    done
    "$LAUNCH" "${options[@]}" "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null >"$BUNDLE/stdout" 2>"$BUNDLE/stderr" 3>&- ||
      fail_with "closed $set: it fails: $(cat "$BUNDLE/stderr")"
    for ((n = 0; n < ${#set}; n++)); do
      [ "$(sed -n $((${set:n:1} + 1))p "$BUNDLE/out/$set")" = /dev/null ] || fail_with "closed $set: $(cat "$BUNDLE/out/$set")"
    done
    [ "$(sed -n 4p "$BUNDLE/out/$set")" = 3 ] || fail_with "closed $set: $(cat "$BUNDLE/out/$set")"
  done
  limited --close 0 --close 1 --close 2
}

@test "a closed standard output is an error of what prints" {
  local verb
  for verb in state list features --version; do
    run bash -c '"$1" --root "$2" $3 2>&1 >&-' - "$RUNTIME" "$ROOT" "$verb" 3>&-
    [ "$status" -ne 0 ] || fail_with "$verb"
    [ "${#lines[@]}" -eq 1 ] || fail_with "$verb"
  done
}

# ---- signals, umask, environment -----------------------------------------------------------------

@test "blocked and ignored signals: a whole life, and the status of run" {
  make_bundle sleep 100
  local option
  for option in --block-signals --ignore-signals; do
    limited $option
    [ $failed -eq 0 ]
    config '.process.args = ["sh", "-c", "exit 7"]'
    run "$LAUNCH" $option "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
    [ "$status" -eq 7 ] || fail_with "$option"
    config '.process.args = ["sleep", "100"]'
  done
}

@test "umask: the state is ours alone, whatever it is" {
  make_bundle sleep 100
  local mask
  for mask in 000 027 077; do
    rm -rf "${ROOT:?}"
    (umask $mask; rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$WORK/err" 3>&-) ||
      fail_with "umask $mask: $(cat "$WORK/err")"
    [ "$(stat -c %a "$ROOT")" = 700 ] || fail_with "root: $(stat -c %a "$ROOT")"
    [ -z "$(find "$ROOT" -mindepth 1 ! -type s -perm /077)" ] || fail_with "open: $(ls -lR "$ROOT")"
    (umask $mask; rt start "$ID" && rt state "$ID" >"$WORK/state" && rt delete --force "$ID") ||
      fail_with "umask $mask"
    assert_nothing_left
  done
}

@test "no environment, no arguments" {
  make_bundle env
  run "$LAUNCH" --empty "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
  assert_success
  [[ $output == PATH=* ]]
  run "$LAUNCH" --empty --no-arguments "$RUNTIME" </dev/null 3>&-
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -eq 1 ]
  [[ $output == *"no command"* ]]
}

# ---- disks ---------------------------------------------------------------------------------------

# on_small_disk OPTIONS SCRIPT: in a mount namespace of its own, a tmpfs on $2/small; the script has
# $runtime, $root (on it), $bundle and $id
on_small_disk() {
  mkdir -p "$WORK/small"
  # shellcheck disable=SC2016
  run unshare -m bash -c '
    mount -t tmpfs -o "mode=700,$1" tmpfs "$2/small"
    runtime="$3" root=$2/small bundle=$4 id=$5
    tare() { timeout 30 "$runtime" --root "$root" "$@" </dev/null >"$bundle/out" 2>"$bundle/err"; local r=$?; echo "$1 $r $(wc -l <"$bundle/err")"; }
    eval "$6"' - "$1" "$WORK" "$RUNTIME" "$BUNDLE" "$ID" "$2" 3>&-
}

@test "the state root: out of inodes" {
  make_bundle sleep 100
  on_small_disk nr_inodes=8 'i=0; while touch $root/.f$i 2>/dev/null; do i=$((i + 1)); done
    tare create --bundle "$bundle" "$id"; cat "$bundle/err" >&2; ls $root; rm -f $root/.f*
    tare create --bundle "$bundle" "$id"; i=0; while touch $root/.f$i 2>/dev/null; do i=$((i + 1)); done
    tare state "$id"; tare delete "$id"; ls $root'
  [[ $output == *"No space left on device"* ]]
  [ "$(grep -v 'No space' <<<"$output")" = $'create 1 1\ncreate 0 0\nstate 0 0\ndelete 0 0' ] || fail_with "$output"
  assert_nothing_left
}

# At every number of inodes and pages that are left: either created, or nothing of it remains.
@test "the state root: full at every point of create" {
  make_bundle sleep 100
  local free
  for free in 2 3 4 5 6; do
    on_small_disk nr_inodes=$free 'tare create --bundle "$bundle" "$id"; ls -A "$root" | wc -l; tare delete --force "$id"; ls -A "$root"'
    [[ $output == $'create 1 1\n0\ndelete 0 0' || $output == $'create 0 0\n1\ndelete 0 0' ]] || fail_with "$free inodes"
  done
  for free in 4 8 12 16; do
    on_small_disk size=${free}k 'tare create --bundle "$bundle" "$id"; ls -A "$root" | wc -l; tare delete --force "$id"; ls -A "$root"'
    [[ $output == $'create 1 1\n0\ndelete 0 0' || $output == $'create 0 0\n1\ndelete 0 0' ]] || fail_with "$free KiB"
  done
  assert_nothing_left
}

# Whether it runs must not depend on whose turn it is.
@test "the state root: full when start comes: the container stays created, and starts once there is room" {
  make_bundle sleep 100
  on_small_disk size=64k 'tare create --bundle "$bundle" "$id"; dd if=/dev/zero of=$root/.fill bs=4k 2>/dev/null
    tare start "$id"; cat "$bundle/err" >&2; tare state "$id"; grep -o "\"status\": \"[a-z]*" "$bundle/out"
    rm $root/.fill; tare start "$id"; tare delete --force "$id"; ls -A "$root"'
  [[ $output == *"No space left on device"* ]]
  [ "$(grep -v 'No space' <<<"$output")" = $'create 0 0\nstart 1 1\nstate 0 0\n"status": "created\nstart 0 0\ndelete 0 0' ] || fail_with "$output"
  assert_nothing_left
}

@test "the state root: read-only" {
  make_bundle sleep 100
  on_small_disk size=1m 'tare create --bundle "$bundle" "$id"; mount -o remount,ro "$root"
    tare create --bundle "$bundle" "$id-2"; tare state "$id"; tare list; tare start "$id"; tare kill "$id" KILL
    tare delete --force "$id"; cat "$bundle/err" >&2; mount -o remount,rw "$root"; tare delete --force "$id"; ls -A "$root"'
  [[ $output == *"Read-only file system"* ]]
  [[ $(grep -v 'Read-only' <<<"$output") =~ ^$'create 0 0\ncreate 1 1\nstate 0 0\nlist 0 0\nstart 1 1\nkill '[01]\ [01]$'\ndelete 1 1\ndelete 0 0'$ ]] ||
    fail_with "$output"
  assert_nothing_left
}

@test "a pid file and a log on a full disk" {
  make_bundle sleep 100
  on_small_disk size=4k 'mkdir "$bundle/root"; disk=$root root=$bundle/root; echo x >"$disk/fill"
    tare create --bundle "$bundle" --pid-file "$disk/pid" "$id"; cat "$bundle/err" >&2; ls "$disk" "$root"
    tare --log "$disk/log" create --bundle "$bundle" "$id"; tare --log "$disk/log" start nobody; tare delete --force "$id"; ls -A "$root"'
  [[ $output == *"No space left on device"* ]]
  [[ $output == *$'delete 0 0' ]] || fail_with "$output"
  [[ $output == *$'--log 0 0\n--log 1 1\n'* ]] || fail_with "$output"
  assert_nothing_left
}

@test "a pid file that cannot be written: no container" {
  make_bundle sleep 100
  local path
  for path in "$WORK/no/such/pid" "$WORK" /proc/pid; do
    run_rt create --bundle "$BUNDLE" --pid-file "$path" "$ID" </dev/null
    assert_error 1 "pid file"
    assert_nothing_left
  done
}

# ---- a kernel that executes no memfd -------------------------------------------------------------

@test "vm.memfd_noexec=2: tare-init comes from its installed file, and cannot be changed there either" {
  [ -e /proc/sys/vm/memfd_noexec ] || skip "this kernel has no vm.memfd_noexec"
  make_bundle sleep 100
  local installed
  installed=$(grep -aoE '/[[:alnum:]_/.-]+/tare-init' "$RUNTIME" | head -n 1)
  [ -n "$installed" ]
  local seals
  seals=$(tool seals)
  # shellcheck disable=SC2016
  run unshare --pid --fork --mount-proc --mount bash -c '
    runtime=$1 root=$2 bundle=$3 id=$4 installed=$5 init=$6 seals=$7
    echo 2 >/proc/sys/vm/memfd_noexec || exit 9
    libexec=$(dirname "$(dirname "$installed")")
    mkdir -p "$libexec"
    mount -t tmpfs tmpfs "$libexec"
    "$runtime" --root "$root" create --bundle "$bundle" "$id" </dev/null >"$bundle/out" 2>&1
    echo "create $? $(wc -l <"$bundle/out")"
    cat "$bundle/out"
    mkdir "$(dirname "$installed")"
    cp "$init" "$installed"
    sum=$(sha256sum <"$installed")
    "$runtime" --root "$root" create --bundle "$bundle" "$id" </dev/null >"$bundle/out" 2>&1
    echo "create $?"
    cat "$bundle/out"
    "$runtime" --root "$root" state "$id" | jq -r .status
    "$seals" "$("$runtime" --root "$root" state "$id" | jq -r .pid)" | grep -c done
    "$runtime" --root "$root" start "$id"
    echo "start $?"
    "$runtime" --root "$root" state "$id" | jq -r .status
    "$runtime" --root "$root" delete --force "$id"
    echo "delete $?"
    [ "$(sha256sum <"$installed")" = "$sum" ] && echo unchanged' - \
    "$RUNTIME" "$ROOT" "$BUNDLE" "$ID" "$installed" "${top_builddir:-$TOP/build}/tare-init" "$seals" 3>&-
  [ "$status" -ne 9 ]
  [ "${lines[0]}" = "create 1 1" ]
  [[ ${lines[1]} == *"'$installed'"* ]]
  [ "$(printf '%s\n' "${lines[@]:2}")" = $'create 0\ncreated\n0\nstart 0\nrunning\ndelete 0\nunchanged' ] || fail_with "$output"
  assert_nothing_left
}
