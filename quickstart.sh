#!/bin/bash
# From a fresh Debian 12 to a running container, in one command, as root:
#
#   ./quickstart.sh          install what is missing, build in build/, run a container that says hello
#   ./quickstart.sh test     also install what the tests need, and run all of them: unit, golden,
#                            protocol and integration tests, those that need a virtual machine,
#                            the checks of `make lint`, and the tests once more in a build with
#                            AddressSanitizer and UBSan
#
# Nothing is installed outside build/ but Debian's packages, and no service is started. What takes
# long to make for the tests (the guest, images) is kept in /var/cache/tare-test.
set -euo pipefail

build_packages=(autoconf automake binutils gcc libc6-dev libcap-dev libseccomp-dev libsystemd-dev
  libyajl-dev linux-libc-dev make musl-tools pkg-config)
hello_packages=(busybox-static jq)
test_packages=(bats clang clang-format cppcheck fish git gojq golang-github-containers-common
  groff-base iproute2 procps shellcheck strace universal-ctags libcap2-bin runc uidmap valgrind zsh)
manager_packages=(buildah catatonit conmon containerd containernetworking-plugins curl debootstrap
  docker-registry docker.io iptables netavark podman protobuf-compiler skopeo umoci)
vm_packages=(cpio e2fsprogs mmdebstrap qemu-system-x86)

cd "$(dirname "${BASH_SOURCE[0]}")"
top=$PWD

say() {
  printf '\n== %s\n' "$*"
}

# Runs a command while packages may not start their daemons.
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  "$@" || status=$?
  rm -f "$policy"
  return "$status"
}

install_packages() {
  local package missing=()
  for package; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
      missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update
  without_services apt-get -q install --yes --no-install-recommends "${missing[@]}"
}

# build DIRECTORY [CONFIGURE OPTION...]
build() {
  local directory=$1
  shift
  say "building in ${directory#"$top/"}"
  mkdir -p "$directory"
  if ! [ -e configure ] || [ -n "$(find configure.ac Makefile.am m4 src libocispec tests \
    \( -name '*.am' -o -name '*.ac' -o -name '*.m4' \) -newer configure -print -quit)" ]; then
    ./autogen.sh >"$directory/autogen.log" 2>&1 || {
      cat "$directory/autogen.log"
      return 1
    }
  fi
  # Configuring again would make everything again.
  if [ "$directory/config.status" -ot configure ] || [ "$*" != "$(cat "$directory/options" 2>&1)" ]; then
    (cd "$directory" && "$top/configure" --quiet "$@" && echo "$*" >options)
  fi
  make --no-print-directory -C "$directory" -j "$(nproc)"
}

# A bundle is a directory with a root file system and a config.json; here a busybox.
make_bundle() {
  local bundle=$1 applet
  rm -rf "$bundle"
  mkdir -p "$bundle"/rootfs/{bin,dev,etc,proc,sys,tmp}
  cp /bin/busybox "$bundle/rootfs/bin/busybox"
  for applet in sh echo id hostname cat ls ps uname mount true; do
    ln -s busybox "$bundle/rootfs/bin/$applet"
  done
  (cd "$bundle" && "$top/build/tare" spec)
  # shellcheck disable=SC2016
  jq '.process.terminal = false | .hostname = "tare" | .process.args = ["/bin/sh", "-c",
    "echo \"hello from inside: uid $(id -u), pid $$, host $(hostname), root $(echo /*)\""]' \
    "$bundle/config.json" >"$bundle/config.json.new"
  mv "$bundle/config.json.new" "$bundle/config.json"
}

hello() {
  local bundle=$top/build/hello id=hello-$$
  make_bundle "$bundle"
  say "tare run --bundle build/hello $id"
  "$top/build/tare" run --bundle "$bundle" "$id" </dev/null
}

# The figures of each run, from its last line "N passed, N failed[, N skipped]".
passed=0 failed=0 skipped=0 failures=
count() {
  local name=$1 log status=0 line p f s
  shift
  say "$name"
  log=$(mktemp)
  "$@" 2>&1 | tee "$log" || status=$?
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1) || true
  failures+=$(sed -n '/^# failed/,$p' "$log")
  rm -f "$log"
  if [ -z "$line" ]; then
    echo "not ok - $name: it ended without its summary (exit status $status)"
    failed=$((failed + 1))
    return 0
  fi
  IFS=', ' read -r p _ f _ s _ <<<"$line"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
  if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
    echo "not ok - $name: exit status $status"
    failed=$((failed + 1))
  fi
}

run_tests() {
  local sanitized=$top/build/sanitized summary
  count 'unit, integration and manager tests' make --no-print-directory -C build check
  count 'tests in a virtual machine' make --no-print-directory -C build check-vm
  count 'lint' make --no-print-directory -C build lint
  build "$sanitized" --enable-werror --enable-sanitizers CFLAGS='-O1 -g'
  count 'tests under AddressSanitizer and UBSan' \
    make --no-print-directory -C "$sanitized" check CHECK_ARGS=--no-managers
  summary="$passed passed, $failed failed"
  [ "$skipped" -eq 0 ] || summary="$summary, $skipped skipped"
  # once more at the end: the log is long
  printf '\n%s\n%s\n' "$failures" "$summary"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

case ${1:-hello} in
  hello | test) ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
if [ "$(id -u)" -ne 0 ]; then
  echo 'quickstart.sh: run it as root: sudo ./quickstart.sh' >&2
  exit 1
fi
if [ "${1:-hello}" = hello ]; then
  install_packages "${build_packages[@]}" "${hello_packages[@]}"
  build "$top/build"
  hello
else
  install_packages "${build_packages[@]}" "${hello_packages[@]}" "${test_packages[@]}" \
    "${manager_packages[@]}" "${vm_packages[@]}"
  build "$top/build" --enable-werror
  hello
  run_tests
fi
