#!/usr/bin/env bats
# The pages in docs: what they have a person type works. Those of a container manager are run by
# its file in tests/managers.

load helpers
# shellcheck source=/dev/null
. "$TOP/tests/lib/docs.bash"

setup_file() {
  only_tare
  file_begin
}

@test "every block of every page is what it says it is" {
  local page count=0
  for page in "$TOP"/docs/*.md; do
    page=$(basename "$page")
    doc_blocks "$page" 'sh run' | bash -n
    doc_blocks "$page" sh | bash -n
    doc_blocks "$page" json | jq -s . >/dev/null
    # a table, a key with a value, a comment
    doc_blocks "$page" toml >"$WORK/toml"
    run grep -vE '^ *(\[[^]]+\]|[a-z_A-Z]+ = ("[^"]*"|[0-9]+|true|false|\[.*\])|#.*)?$' "$WORK/toml"
    assert_output ''
    run awk '/^```/ && !inside { inside = 1; if ($0 !~ /^```(sh( run)?|json|toml|yaml|)$/) print; next }
      /^```/ { inside = 0 } END { if (inside) print "no end" }' "$TOP/docs/$page"
    assert_output ''
    count=$((count + 1))
  done
  [ "$count" -ge 9 ]
}

@test "containerd.md: the objects of Kubernetes" {
  type -P gojq >/dev/null || skip "no gojq, which reads YAML"
  run bash -c "$(declare -f doc_blocks); TOP=$TOP
    doc_blocks containerd.md yaml | sed 's/^apiVersion/---\n&/' | gojq --yaml-input -r '.kind, .handler // .spec.runtimeClassName'"
  assert_output $'RuntimeClass\ntare\nPod\ntare'
}

@test "every option of tare that a page names is one" {
  local word command options
  options=$("$RUNTIME" --help; for command in $("$RUNTIME" help --names); do "$RUNTIME" help "$command"; done)
  # shellcheck disable=SC2013
  for word in $(grep -ohE '^tare [^|#]*' "$TOP"/docs/*.md | grep -oE -- ' --[a-z-]+'); do
    [[ $options == *"$word"* ]] || fail_with "$word"
  done
}

@test "links between the pages lead somewhere" {
  local link
  # shellcheck disable=SC2013
  for link in $(grep -ohE '\]\([a-z./-]+\.md\)' "$TOP"/docs/*.md | tr -d ']()'); do
    [ -e "$TOP/docs/$link" ] || fail_with "$link"
  done
}

@test "by-hand.md" {
  # the state root of the machine may be in use: here it is another directory's
  run run_page by-hand.md unshare --mount sh -c 'mount -t tmpfs -o mode=755 tmpfs /run; exec "$@"' -
  assert_success
  [[ $output == *'hello from 1'* && $output == *'"status": "created"'* && $output == *"uid=0 gid=0"* &&
    $output == *second* ]] || fail_with "not what the page promises"
}

@test "overlay.md" {
  run run_page overlay.md unshare --mount sh -c 'mount -t tmpfs -o mode=755 tmpfs /run; exec "$@"' -
  assert_success
  [[ $output == *$'from the patch\nkept' ]] || fail_with "not what the page promises"
}
