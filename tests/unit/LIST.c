test-init: tests/unit/test-init.c
test-protocol: tests/protocol/test-protocol.c
test-init-container: tests/protocol/test-init-container.c tests/protocol/drive.c tests/protocol/drive.h
test-init-hostile: tests/protocol/test-init-hostile.c tests/protocol/drive.c tests/protocol/drive.h
test-init-faults: tests/protocol/test-init-faults.c tests/protocol/drive.c tests/protocol/drive.h
