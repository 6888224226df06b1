test-state: tests/unit/test-state.c
test-cli: tests/unit/test-cli.c src/cli/parse.c src/cli/signals.c
