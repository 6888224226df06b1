/* The protocol's framing: what one end sends the other gets, and nothing else passes. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "plan/protocol.h"
#include "sys/sys.h"
#include "tests/unit/tap.h"

struct pair
{
  struct channel host, init;
};

static struct pair
open_pair (void)
{
  int fds[2];
  ok (sys_socketpair (fds) == 0, "a pair of sockets");
  return (struct pair){ { fds[0], 0, 0, MESSAGE_TO_INIT }, { fds[1], 0, 0, MESSAGE_TO_HOST } };
}

static void
close_pair (struct pair *pair)
{
  close_fd (&pair->host.fd);
  close_fd (&pair->init.fd);
}

static size_t
open_fds (void)
{
  size_t count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl (fd, F_GETFD) >= 0;
  return count;
}

static void
test_names (void)
{
  for (uint32_t m = MESSAGE_NONE + 1; m < MESSAGE_COUNT; m++)
    ok (message_direction (m) != MESSAGE_NEITHER && message_name (m)[0] != '\0',
        "%s has a direction", message_name (m));
  is_text (message_name (MESSAGE_COUNT), "unknown", "a number that is none");
  is_number (message_direction (4000000000u), MESSAGE_NEITHER, "goes nowhere");
}

static void
test_exchange (void)
{
  struct tare_error error = { 0 };
  struct received received;
  struct pair pair = open_pair ();
  is_number (channel_send (&pair.host, MESSAGE_GO, 0, NULL, 0, &error), 0, "send GO");
  is_number (channel_receive (&pair.init, MESSAGE_GO, NULL, &error), 0, "receive it");
  is_number (channel_send (&pair.init, MESSAGE_FORKED, 1234567890123, NULL, 0, &error), 0,
             "send a value");
  is_number (channel_receive (&pair.host, MESSAGE_FORKED, &received, &error), 0, "receive it");
  ok (received.value == 1234567890123 && received.n_fds == 0, "the value");
  is_number (channel_send (&pair.init, MESSAGE_GO, 0, NULL, 0, &error), -EPROTO,
             "a message of the other side cannot be sent");
  is_text (error.message, "GO does not go this way", "and is told so");
  close_pair (&pair);
}

static void
test_fds (void)
{
  struct tare_error error = { 0 };
  struct received received;
  struct pair pair = open_pair ();
  int fds[20];
  struct stat sent, got;
  for (size_t i = 0; i < COUNT_OF (fds); i++)
    fds[i] = 0;
  int file = open ("/etc/passwd", O_RDONLY);
  fds[1] = file;
  size_t before = open_fds ();
  is_number (channel_send (&pair.host, MESSAGE_PLAN, 0, fds, 16, &error), 0, "send 16 descriptors");
  is_number (channel_receive (&pair.init, MESSAGE_PLAN, &received, &error), 0, "receive them");
  is_number ((long long) received.n_fds, 16, "all");
  ok (fstat (received.fds[1], &got) == 0 && fstat (file, &sent) == 0 && got.st_ino == sent.st_ino,
      "in order");
  ok ((fcntl (received.fds[0], F_GETFD) & FD_CLOEXEC) != 0, "close-on-exec");
  for (size_t i = 0; i < received.n_fds; i++)
    close (received.fds[i]);
  channel_send (&pair.host, MESSAGE_PLAN, 0, fds, 17, &error);
  ok (channel_receive (&pair.init, MESSAGE_PLAN, &received, &error) < 0, "17 are too many");
  is_number ((long long) open_fds (), (long long) before, "none of them stays open");
  close_pair (&pair);

  pair = open_pair ();
  before = open_fds ();
  channel_send (&pair.host, MESSAGE_GO, 0, fds, 1, &error);
  ok (channel_receive (&pair.init, MESSAGE_GO, NULL, &error) < 0, "a descriptor nobody asked for");
  is_number ((long long) open_fds (), (long long) before, "does not stay open");
  close_pair (&pair);

  pair = open_pair ();
  before = open_fds ();
  channel_send (&pair.host, MESSAGE_RUN, 0, fds, 3, &error);
  ok (channel_receive (&pair.init, MESSAGE_PLAN, &received, &error) == -EPROTO,
      "a wrong message with descriptors");
  is_number ((long long) open_fds (), (long long) before, "none of them stays open");
  close_pair (&pair);
  close (file);
}

static void
refuses (struct channel *channel, enum message expected, const char *text)
{
  struct tare_error error = { 0 };
  int r = channel_receive (channel, expected, NULL, &error);
  ok (r == -EPROTO && error.kind == TARE_ERROR_PROTOCOL, "is a protocol error");
  is_text (error.message, text, "and says what came and what was expected");
}

static void
test_wrong (void)
{
  struct tare_error error = { 0 };
  struct pair pair = open_pair ();
  channel_send (&pair.host, MESSAGE_RUN, 0, NULL, 0, &error);
  refuses (&pair.init, MESSAGE_GO, "received RUN where GO was expected");
  close_pair (&pair);

  pair = open_pair ();
  pair.host.sent = 4;
  channel_send (&pair.host, MESSAGE_GO, 0, NULL, 0, &error);
  refuses (&pair.init, MESSAGE_GO, "GO has number 5, expected 1");
  close_pair (&pair);

  pair = open_pair ();
  (void) !write (pair.host.fd, "short", 5);
  refuses (&pair.init, MESSAGE_GO, "a datagram of 5 bytes where GO was expected");
  close_pair (&pair);

  /* A header that claims a payload which did not come, and a type that does not exist. */
  const uint32_t claims[6] = { MESSAGE_GO, 1, 100, 0, 0, 0 };
  const uint32_t unknown[6] = { 77, 1, 0, 0, 0, 0 };
  pair = open_pair ();
  (void) !write (pair.host.fd, claims, sizeof claims);
  refuses (&pair.init, MESSAGE_GO, "a datagram of 24 bytes where GO was expected");
  close_pair (&pair);
  pair = open_pair ();
  (void) !write (pair.host.fd, unknown, sizeof unknown);
  refuses (&pair.init, MESSAGE_GO, "received unknown where GO was expected");
  close_pair (&pair);

  char huge[4096] = { 0 };
  pair = open_pair ();
  (void) !write (pair.host.fd, huge, sizeof huge);
  ok (channel_receive (&pair.init, MESSAGE_GO, NULL, &error) < 0, "a datagram too long");
  close_pair (&pair);
}

static void
test_end (void)
{
  struct tare_error error = { 0 };
  struct pair pair = open_pair ();
  close_fd (&pair.host.fd);
  is_number (channel_receive (&pair.init, MESSAGE_GO, NULL, &error), -ECONNRESET, "end of file");
  is_number (error.kind, TARE_ERROR_PROTOCOL, "its class");
  is_number (channel_send (&pair.init, MESSAGE_READY, 0, NULL, 0, &error), -EPIPE,
             "sending to nobody is an error, not a signal");
  close_pair (&pair);
}

/* Dead with a message of the host's unread: what it said before that counts. */
static void
test_last_words (void)
{
  struct tare_error failure = { 0 }, error = { 0 };
  struct pair pair = open_pair ();
  fail (&failure, EACCES, "last words");
  is_number (channel_send_error (&pair.init, &failure), 0, "init says why");
  is_number (channel_send (&pair.host, MESSAGE_GO, 0, NULL, 0, &error), 0, "GO comes too late");
  close_fd (&pair.init.fd);
  is_number (channel_receive (&pair.host, MESSAGE_ROOTFS_READY, NULL, &error), -EACCES,
             "the host side hears it");
  is_number (channel_receive (&pair.host, MESSAGE_ROOTFS_READY, NULL, &error), -ECONNRESET,
             "then the end");
  close_pair (&pair);
}

static void
test_errors (void)
{
  struct tare_error failure = { 0 }, error = { 0 };
  struct pair pair = open_pair ();
  fail (&failure, ENOENT, "look for it");
  failure.step = 7;
  is_number (channel_send_error (&pair.init, &failure), 0, "send an error");
  is_number (channel_receive (&pair.host, MESSAGE_READY, NULL, &error), -ENOENT,
             "it comes instead of what was expected");
  ok (memcmp (&error, &failure, sizeof error) == 0, "whole");
  /* From init, nothing is taken on trust. */
  memset (&failure, 'x', sizeof failure);
  failure.code = 1;
  channel_send_error (&pair.init, &failure);
  ok (channel_receive (&pair.host, MESSAGE_READY, NULL, &error) < 0, "a code that is no error");
  ok (memchr (error.message, '\0', sizeof error.message) != NULL, "a text without an end");
  close_pair (&pair);

  pair = open_pair ();
  channel_send_error (&pair.host, &failure);
  refuses (&pair.init, MESSAGE_GO, "received ERROR where GO was expected");
  close_pair (&pair);
}

int
main (void)
{
  test_names ();
  test_exchange ();
  test_fds ();
  test_wrong ();
  test_end ();
  test_last_words ();
  test_errors ();
  return tap_done ();
}
