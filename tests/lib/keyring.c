/* A secret in the session keyring: "keyring with COMMAND..." runs the command with a new keyring
 * that holds one, "keyring" says what it finds of it. The first is for the host, the second for a
 * container. */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char secret[] = "secret", name[] = "tare-test-secret";

static int
run_with (char **argv)
{
  if (syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0
      || syscall (SYS_add_key, "user", name, secret, sizeof secret, KEY_SPEC_SESSION_KEYRING) < 0)
    {
      perror ("keyring");
      return 1;
    }
  (void) execv (argv[0], argv);
  perror (argv[0]);
  return 1;
}

int
main (int argc, char **argv)
{
  char found[64] = "";
  if (argc > 2 && strcmp (argv[1], "with") == 0)
    return run_with (argv + 2);
  long key = syscall (SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0);
  if (key < 0)
    printf ("none: %s\n", strerror (errno));
  else if (syscall (SYS_keyctl, KEYCTL_READ, key, found, sizeof found - 1) >= 0)
    printf ("found: %s\n", found);
  return 0;
}
