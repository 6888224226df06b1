#!/usr/bin/env bats
# What is the runtime's own: its program (T30), the libraries and files that it would trust (T33),
# its sockets (T35). None of it may come from a container, or be had by one.

load hostile

FAULTY=${top_builddir:-$TOP/build}/tests/tare-faults

setup_file() {
  is_tare || skip "what is looked for is tare's"
  hostile_begin
}

# ---- its program ---------------------------------------------------------------------------------

sums() {
  sha256sum "$RUNTIME" "$FAULTY" "${top_builddir:-$TOP/build}/tare-init"
}

# Processes of the container that are tare-init yet.
inits() {
  local pid
  for pid in $(rt ps --format json "$ID" | jq -r '.[]'); do
    [[ $(readlink "/proc/$pid/exe") != /memfd:tare-init* ]] || echo "$pid"
  done
}

has_init() {
  [ -n "$(inits)" ]
}

# The attacker may do all that root may but for namespaces of its own, and holds what it has seen
# until nobody executes it any more. The control is a program of the image: that one is overwritten.
@test "T30: the runtime's program is not to be written to, while it runs or later" {
  make_bundle attack overwrite
  cp "$(tool attack)" "$BUNDLE/rootfs/bin/attack"
  mkdir "$BUNDLE/x"
  cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/x/sleep"
  printf '#!/proc/self/exe\n' >"$BUNDLE/x/script"
  chmod +x "$BUNDLE/x/script"
  config '.mounts += [{destination: "/x", type: "bind", source: $x, options: ["bind"]}] | .process.capabilities = ({bounding: $all} | .permitted = .bounding | .effective = .bounding)' \
    --arg x "$BUNDLE/x" --argjson all '["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN", "CAP_FOWNER"]'
  local before round victim
  before=$(sums)
  watch
  create || fail_with "create: $(cat "$BUNDLE/err")"
  rt start "$ID"
  # once at a standstill, so that it is seen for certain; then at full speed
  TARE_FAULT=init:ready:stop "$FAULTY" --root "$ROOT" exec "$ID" true </dev/null >"$BUNDLE/said" 2>&1 3>&- &
  local caller=$!
  wait_until 30 has_init
  wait_until 30 grep -q '^seen /memfd:tare-init' "$BUNDLE/out"
  kill -KILL "$caller"
  kill -KILL "$(inits)"
  wait "$caller" || true
  # not i: bats' run has one
  for round in 1 2 3; do
    rt exec "$ID" true </dev/null
    # what says that it is not run by hand, or runs at all: it is the sealed copy
    run_rt exec "$ID" /proc/self/exe </dev/null
    [ "$status" -ne 0 ]
    run_rt exec "$ID" /x/script </dev/null
    [ "$status" -ne 0 ]
  done
  "$RUNTIME" --root "$ROOT" exec "$ID" /x/sleep 1000 </dev/null >"$BUNDLE/said" 2>&1 3>&- &
  victim=$!
  wait_until 30 grep -q '^seen /x/sleep' "$BUNDLE/out"
  ! grep -q '^written' "$BUNDLE/out" || fail_with "$(cat "$BUNDLE/out")"
  kill -TERM "$victim"
  wait "$victim" || true
  wait_until 30 grep -q '^written /x/sleep' "$BUNDLE/out"
  [ "$(grep -c '^written' "$BUNDLE/out")" -eq 1 ] || fail_with "$(cat "$BUNDLE/out")"
  [ "$(sums)" = "$before" ]
  assert_untouched
}

@test "T30: /proc/self/exe as the program, by its name and as an interpreter" {
  make_bundle /proc/self/exe
  watch
  local before
  before=$(sums)
  run_it
  [ "$status" -eq 2 ] || fail_with "it is not tare-init that runs"
  [ "$stderr" = "tare-init is run by tare, not by hand" ]
  printf '#!/proc/self/exe x y\n' >"$BUNDLE/rootfs/script"
  chmod +x "$BUNDLE/rootfs/script"
  config '.process.args = ["/script"]'
  run_it
  [ "$status" -ne 0 ]
  [ "$(sums)" = "$before" ]
  assert_untouched
  assert_nothing_left
}

# ---- what it would trust -------------------------------------------------------------------------

trusted='libnss|nsswitch|ld\.so|gconv|locale|/etc/(passwd|group|hosts|localtime|resolv)|/lib(64)?/'

# openings VERB...: what processes that entered the container opened, of $trusted.
openings() {
  rm -f "$BUNDLE/trace"*
  LANG=de_DE.UTF-8 GCONV_PATH=/usr/lib/gconv LOCPATH=/usr/lib/locale \
    traced -ff -qq -e trace=open,openat,openat2,execve,execveat -o "$BUNDLE/trace" \
    "$RUNTIME" --root "$ROOT" "$@" </dev/null >"$BUNDLE/said" 2>&1 3>&-
  # a file a process; that of the host side is the one that executed us by name
  grep -LF "execve(\"$RUNTIME\"" "$BUNDLE"/trace.* | xargs grep -hE 'open(at2?)?\(' | grep -E "$trusted" || true
}

# HOME is of the image's passwd, by our own few lines; nothing else is.
@test "T33: libraries, name services and locales of the image are not looked at" {
  make_bundle busybox true
  local file library image=$BUNDLE/rootfs
  mkdir -p "$image"/etc "$image"/usr/lib/{gconv,locale/de_DE.UTF-8/LC_MESSAGES}
  echo 'root:x:0:0::/root:/bin/sh' >"$image/etc/passwd"
  echo 'root:x:0:' >"$image/etc/group"
  echo 'passwd: files evil' >"$image/etc/nsswitch.conf"
  echo /lib/evil.so >"$image/etc/ld.so.preload"
  for file in /lib/evil.so /lib/libnss_evil.so.2 /lib/libnss_files.so.2 /usr/lib/gconv/gconv-modules \
    /usr/lib/locale/locale-archive /etc/ld.so.cache; do
    mkdir -p "$image$(dirname "$file")"
    echo evil >"$image$file"
  done
  # the control: a program of the image that trusts it
  cp "$(type -P id)" "$image/bin/trusting"
  for library in $(ldd "$(type -P id)" | grep -o '/[^ ]*'); do
    mkdir -p "$image$(dirname "$library")"
    cp "$library" "$image$library"
  done
  local found
  found=$(openings run --bundle "$BUNDLE" "$ID")
  [ "$(grep -vc '"/*etc/passwd"' <<<"$found")" -eq 0 ] || fail_with "$found"
  config '.process.args = ["trusting"]'
  found=$(openings run --bundle "$BUNDLE" "$ID")
  [[ $found == *ld.so.preload* && $found == *nsswitch.conf* ]] || fail_with "the test fires no more: $found"
  config '.process.args = ["sleep", "1000"]'
  create
  rt start "$ID"
  found=$(openings exec --user 5:5 "$ID" busybox true)
  [ "$(grep -vc '"/*etc/passwd"' <<<"$found")" -eq 0 ] || fail_with "$found"
  found=$(openings exec --user 5:5 "$ID" trusting)
  [[ $found == *ld.so.preload* ]] || fail_with "the test fires no more: $found"
}

# ---- its sockets ---------------------------------------------------------------------------------

# Names of unix sockets that the processes have open, as a container in their network sees them.
sockets_of() {
  local pid fd link
  for pid; do
    for fd in /proc/"$pid"/fd/*; do
      link=$(readlink "$fd") || continue
      [[ $link != socket:* ]] || awk -v inode="${link//[^0-9]/}" '$7 == inode && NF > 7 { print $8 }' "/proc/$pid/net/unix"
    done
  done
}

@test "T35: no abstract socket, by which a container in the host's network could come to the runtime" {
  make_bundle sh -c 'while :; do sleep 1; done'
  config 'del (.linux.namespaces[] | select (.type == "network"))
    | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"} | .process.terminal = true'
  "$(tool recvtty)" "$BUNDLE/console" "$BUNDLE/name" </dev/null >"$BUNDLE/tty" 3>&- &
  wait_until 30 test -S "$BUNDLE/console"
  create --console-socket "$BUNDLE/console"
  local pid caller names
  pid=$(pid_of "$ID")
  names=$(sockets_of "$pid")
  [[ $names == *"/start" ]] || fail_with "waiting for start: $names" # that it can see at all
  [[ $names != *@* ]] || fail_with "waiting for start: $names"
  rt start "$ID" 3>&-
  # the other side of an exec, and who enters
  TARE_FAULT=init:ready:stop "$FAULTY" --root "$ROOT" exec "$ID" true </dev/null >"$BUNDLE/said" 2>&1 3>&- &
  caller=$!
  wait_until 30 has_init
  names=$(sockets_of "$caller" "$(inits)")
  [ -z "$names" ] || fail_with "exec: $names"
  kill -KILL "$caller"
  kill -KILL "$(inits)"
  # and as the container sees it: nothing of this name
  run_rt exec "$ID" cat /proc/net/unix </dev/null
  assert_success
  ! grep -E "@.*(tare|$TAG)" <<<"$output" || fail_with "an abstract socket"
  # the control: that it would be seen
  perl -MSocket -e 'socket (S, AF_UNIX, SOCK_STREAM, 0); bind (S, pack ("S a*", AF_UNIX, "\0$ARGV[0]")) || die; print "bound\n"; $| = 1; sleep 1000' \
    "$TAG" >"$BUNDLE/bound" 3>&- &
  local holder=$!
  names=
  has_name() { names=$(sockets_of "$holder") && [ -n "$names" ]; }
  wait_until 30 has_name
  [ "$names" = "@$TAG" ]
  run_rt exec "$ID" cat /proc/net/unix </dev/null
  grep -qE "@.*$TAG" <<<"$output" || fail_with "the control is not seen"
  kill "$holder"
}
