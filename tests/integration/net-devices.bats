#!/usr/bin/env bats
# linux.netDevices: moved into the container's network namespace with their addresses, renamed,
# brought up; and given back by a create that fails. The "host" of these tests is a network
# namespace of their own.

load helpers
load inside

setup_file() {
  file_begin
  unshare --net ip link add v0 type veth peer name v1 2>/dev/null || skip "no veth devices here"
}
setup() {
  only_tare # the peer is older than this property
  test_begin
  holder=''
  hold
}
teardown() {
  test_end
  drop "$holder"
}

hold() {
  rm -f "$WORK/held"
  unshare --net bash -c 'ip link set lo up; echo $$ >"$1"; exec sleep 1000' - "$WORK/held" </dev/null >/dev/null 2>&1 3>&- &
  holder=$!
  wait_until 30 test -s "$WORK/held"
}

drop() {
  [ -z "$1" ] || kill -KILL "$1"
  wait "$1" 2>/dev/null || true
}

# links NAME...: pairs of devices; the other ends, peer-NAME, stay behind
links='links() {
  local name
  for name; do
    ip link add "$name" type veth peer name "peer-$name"
  done
}'

# The host's network namespace of this test
there() {
  nsenter --target "$holder" --net -- "$@"
}

rt() {
  there "$RUNTIME" --root "$ROOT" "$@" 3>&-
}

devices() {
  config ".linux.netDevices = $1"
}

# NAME, FLAGS and the addresses of a device, as ip(8) shows them, on one line each
shown() {
  ip -json address show 2>/dev/null | jq -r '.[] | select (.ifname != null and .ifname != "lo" and (.ifname | startswith ("peer-") | not))
    | ([.ifname, if .flags | index ("UP") then "up" else "down" end]
       + [.addr_info[] | select (.scope == "global") | "\(.local)/\(.prefixlen)\(if .broadcast then "^" + .broadcast else "" end)"])
    | join (" ")' | sort
}

in_container() {
  nsenter --target "$(pid_of "$ID")" --net -- bash -c "$(declare -f shown); shown"
}

on_host() {
  there bash -c "$(declare -f shown); shown"
}

@test "moved, renamed, up, with their global addresses; they are gone from the host" {
  there bash -c "$links"'; links dev0 v0; ip link set dev0 mtu 1400
    ip address add 192.0.2.7/24 broadcast 192.0.2.255 dev dev0
    ip address add 192.0.2.8/24 dev dev0
    ip address add 198.51.100.1 peer 198.51.100.2/32 dev dev0
    ip address add 169.254.1.1/16 scope link dev dev0
    ip address add 203.0.113.9/24 valid_lft 10000 preferred_lft 10000 dev dev0
    ip -6 address add 2001:db8::7/64 nodad dev dev0
    ip -6 address add 2001:db8:1::8/128 nodad dev v0
    ip link set dev0 up'
  local mac
  mac=$(there ip -json link show dev0 | jq -r '.[0].address')
  make_bundle sleep 1000
  devices '{dev0: {name: "eth0"}, v0: {}}'
  create
  diff - <(in_container) <<'ROWS' >&2
eth0 up 192.0.2.7/24^192.0.2.255 198.51.100.1/32 192.0.2.8/24 2001:db8::7/64
v0 up 2001:db8:1::8/128
ROWS
  nsenter --target "$(pid_of "$ID")" --net -- ip -json address show eth0 >"$BUNDLE/eth0"
  jq -e --arg mac "$mac" '.[0] | .mtu == 1400 and .address == $mac
      and any (.addr_info[]; .address == "198.51.100.2") and all (.addr_info[]; .local != "203.0.113.9")' "$BUNDLE/eth0" >/dev/null || cat "$BUNDLE/eth0" >&2
  jq -e --arg mac "$mac" '.[0] | .mtu == 1400 and .address == $mac' "$BUNDLE/eth0" >/dev/null
  [ -z "$(on_host)" ] || fail_with "$(on_host)"
  rt start "$ID"
  rt delete --force "$ID"
  assert_nothing_left
}

@test "a template: the kernel finds the number; two devices may have the same one" {
  there bash -c "$links"'; links d1 d2 d3; ip address add 192.0.2.1/32 dev d2'
  make_bundle sh
  devices '{d1: {name: "net%d"}, d2: {name: "net%d"}, d3: {name: "net7"}}'
  inside 'ip -o link show up | cut -d : -f 2 | cut -d @ -f 1 | tr -d " "; ip -o address show to 192.0.2.1'
  [ "${lines[*]:0:4}" = "lo net0 net1 net7" ] || fail_with names
  [[ $output == *192.0.2.1* ]]
}

@test "names that cross over, and indices that are taken" {
  # devices made one after the other have the same numbers in both namespaces
  there bash -c "$links"'; links ea eb; ip address add 192.0.2.1/32 dev ea'
  unshare --net bash -c "$links"'; links x1 x2 x3 x4; echo $$ >"$1"; exec sleep 1000' - "$WORK/other" </dev/null >/dev/null 2>&1 3>&- &
  local other=$!
  wait_until 30 test -s "$WORK/other"
  rm "$WORK/other"
  make_bundle sleep 100
  config '.linux.namespaces |= map (if .type == "network" then .path = $path else . end)' --arg path "/proc/$other/ns/net"
  devices '{ea: {name: "eb"}, eb: {name: "ea"}}'
  create
  [ "$(in_container | grep -v x)" = $'ea up\neb up 192.0.2.1/32' ] || fail_with "$(in_container)"
  # a namespace that outlives the container keeps them
  rt delete --force "$ID"
  run nsenter --target $other --net -- bash -c "$(declare -f shown); shown"
  drop $other
  [[ $output == *"eb up 192.0.2.1/32"* ]]
  assert_nothing_left
}

@test "in a user namespace of its own, with sysctls of the device, and before the runtime hooks" {
  there bash -c "$links"'; links dev0; ip address add 192.0.2.7/24 dev dev0'
  make_bundle sh
  chown -R 100000:200000 "$BUNDLE/rootfs"
  chmod 755 "$WORK"
  config '.linux.namespaces += [{type: "user"}]
          | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
          | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]
          | .linux.sysctl = {"net.ipv4.conf.eth9.forwarding": "1"}
          | .hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c",
              "jq .pid | xargs -I{} nsenter --target {} --net ip -o address show eth9 >" + $file]}]' --arg file "$BUNDLE/hook"
  devices '{dev0: {name: "eth9"}}'
  inside 'ip -o address show eth9; cat /proc/sys/net/ipv4/conf/eth9/forwarding'
  [[ ${lines[0]} == *192.0.2.7/24* ]]
  [ "${lines[-1]}" = 1 ]
  grep -q 192.0.2.7/24 "$BUNDLE/hook"
}

@test "a create that fails afterwards gives them back as they were" {
  there bash -c "$links"'; links up0 down0
    ip address add 192.0.2.7/24 dev up0; ip -6 address add 2001:db8::7/64 nodad dev up0; ip link set up0 up; ip address add 192.0.2.8/32 dev down0'
  local before
  before=$(on_host)
  make_bundle true
  local user
  for user in no yes; do
    if [ $user = yes ]; then
      chown -R 100000:200000 "$BUNDLE/rootfs"
      chmod 755 "$WORK"
      config '.linux.namespaces += [{type: "user"}]
              | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
              | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
    fi
    devices '{up0: {name: "eth0"}, down0: {}}'
    config '.hooks.createRuntime = [{path: "/bin/false"}]'
    run_rt create --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 "hooks.createRuntime"
    [ "$(on_host)" = "$before" ] || fail_with "$(diff <(echo "$before") <(on_host))"
    # the second cannot be moved: the first comes back
    config 'del (.hooks)'
    devices '{up0: {name: "eth0"}, lo: {name: "lo1"}}'
    run_rt create --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 "linux.netDevices.lo"
    [ "$(on_host)" = "$before" ] || fail_with "$(diff <(echo "$before") <(on_host))"
    assert_nothing_left
  done
}

@test "refused with the place: no such device, a name that is taken, no namespace for it" {
  there bash -c "$links"'; links d1 d2'
  local before
  before=$(on_host)
  make_bundle true
  local good value words
  good=$(cat "$BUNDLE/config.json")
  while IFS='|' read -r value words; do
    jq ".linux.netDevices = $value" <<<"$good" >"$BUNDLE/config.json"
    run_rt create --bundle "$BUNDLE" "$ID" </dev/null
    assert_error 1 "$words"
    [ "$(on_host)" = "$before" ] || fail_with "the host's devices were touched"
  done <<'ROWS'
{"d1": {}, "missing": {}}|linux.netDevices.missing: look for the network device: No such device
{"d1": {"name": "lo"}}|linux.netDevices.d1: the container's network namespace has a device 'lo' already
{"d1": {"name": "x"}, "d2": {"name": "x"}}|'x' is also the name of d1
{"d1": {"name": "d2"}, "d2": {}}|is also the name of
{"d1": {"name": "sixteen-letters-"}}|linux.netDevices.d1.name: 'sixteen-letters-'
{"d1": {"name": "a/b"}}|linux.netDevices.d1.name
{"d1": {"name": ".."}}|linux.netDevices.d1.name
{"d1": {"name": "e%s"}}|linux.netDevices.d1.name
{"d1": {"name": "%d%d"}}|linux.netDevices.d1.name
{"": {}}|linux.netDevices: ''
{"d 1": {}}|linux.netDevices: 'd 1'
ROWS
  jq '.linux.netDevices = {d1: {}} | .linux.namespaces |= map (select (.type != "network"))' <<<"$good" >"$BUNDLE/config.json"
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "linux.netDevices: needs a network namespace of its own"
  jq '.linux.netDevices = {d1: {}} | .linux.namespaces |= map (if .type == "network" then .path = "/proc/self/ns/net" else . end)' <<<"$good" >"$BUNDLE/config.json"
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "is the host's own network namespace"
  assert_nothing_left
}

@test "a hundred thousand names are no more work than they are long" {
  make_bundle true
  config '.linux.netDevices = ([range (100000) | {key: "d\(.)", value: {name: "e\(.)"}}] | from_entries)'
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "linux.netDevices.d0: look for the network device: No such device"
  config '.linux.netDevices.d99999.name = "e5"'
  run_rt create --bundle "$BUNDLE" "$ID" </dev/null
  assert_error 1 "'e5' is also the name of"
  assert_nothing_left
}
