/* A container's terminal in front of ours: raw mode, size, and the bytes both ways.
 *
 * Nothing here waits but poll: whoever reads our output too slowly, or not at all, holds up its own
 * bytes and no signal. So output must not be written to a descriptor that could block; ours is
 * shared with others, who do not expect it to become non-blocking, so it is opened anew.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum
{
  MOST_LEFT = 256 << 10, /* more than a terminal holds: what is read after the process's end */
  PIPE_ATOMIC = 4096,    /* a pipe that is ready takes as much without waiting */
  RETRY_MILLISECONDS = 100,
};

/* ---- ours --------------------------------------------------------------------------------------
 */

static int
open_output (void)
{
  struct stat st;
  if (fstat (STDOUT_FILENO, &st) < 0 || !(S_ISFIFO (st.st_mode) || S_ISCHR (st.st_mode)))
    return STDOUT_FILENO;
  int fd = open ("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return fd >= 0 ? fd : STDOUT_FILENO; /* it may be another user's */
}

static ssize_t
write_output (const struct cli_terminal *terminal, const char *bytes, size_t length)
{
  if (terminal->output_is_socket)
    return send (terminal->output_fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (terminal->output_fd == STDOUT_FILENO && length > PIPE_ATOMIC)
    length = PIPE_ATOMIC;
  return write (terminal->output_fd, bytes, length);
}

static bool
read_size (struct winsize *ret_size)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (ioctl (fd, TIOCGWINSZ, ret_size) == 0)
      return true;
  return false;
}

void
cli_terminal_size (uint16_t *ret_rows, uint16_t *ret_columns)
{
  struct winsize size;
  if (!read_size (&size))
    return;
  *ret_rows = size.ws_row;
  *ret_columns = size.ws_col;
}

void
cli_terminal_resize (const struct cli_terminal *terminal)
{
  struct winsize size;
  if (read_size (&size))
    (void) ioctl (terminal->master, TIOCSWINSZ, &size);
}

/* What is typed goes to the container as it is: ^C is for its terminal to understand. */
void
cli_terminal_make_raw (struct cli_terminal *terminal)
{
  if (terminal->master < 0 || tcgetattr (STDIN_FILENO, &terminal->original) < 0)
    return;
  struct termios raw = terminal->original;
  cfmakeraw (&raw);
  terminal->raw = tcsetattr (STDIN_FILENO, TCSANOW, &raw) == 0;
}

void
cli_terminal_restore (struct cli_terminal *terminal)
{
  if (terminal->raw)
    (void) tcsetattr (STDIN_FILENO, TCSANOW, &terminal->original);
  terminal->raw = false;
}

int
cli_terminal_open (struct cli_terminal *terminal, int master, struct tare_error *error)
{
  struct stat st;
  *terminal = (struct cli_terminal){ .master = master, .output_fd = STDOUT_FILENO };
  if (master < 0)
    return 0;
  /* Not on the stack, which may be small. */
  terminal->input.bytes = malloc (2 * CLI_RELAY_SIZE);
  if (terminal->input.bytes == NULL)
    return cli_system_error (error, "the container's terminal");
  terminal->output.bytes = terminal->input.bytes + CLI_RELAY_SIZE;
  int flags = fcntl (master, F_GETFL);
  if (flags < 0 || fcntl (master, F_SETFL, flags | O_NONBLOCK) < 0)
    return cli_system_error (error, "the container's terminal");
  terminal->output_fd = open_output ();
  terminal->output_is_socket = fstat (terminal->output_fd, &st) == 0 && S_ISSOCK (st.st_mode);
  cli_terminal_resize (terminal);
  cli_terminal_make_raw (terminal);
  return 0;
}

void
cli_terminal_close (struct cli_terminal *terminal)
{
  cli_terminal_restore (terminal);
  if (terminal->master >= 0)
    (void) close (terminal->master);
  if (terminal->output_fd > STDERR_FILENO)
    (void) close (terminal->output_fd);
  free (terminal->input.bytes);
  *terminal = (struct cli_terminal) CLI_TERMINAL_INIT;
}

/* ---- the bytes ---------------------------------------------------------------------------------
 */

static size_t
filled (const struct cli_relay *relay)
{
  return relay->end - relay->begin;
}

static bool
is_transient (int code)
{
  return code == EAGAIN || code == EINTR;
}

/* n bytes went out. */
static void
consume (struct cli_relay *relay, size_t n)
{
  relay->begin += n;
  if (relay->begin == relay->end)
    relay->begin = relay->end = 0;
}

static size_t
room (struct cli_relay *relay)
{
  if (relay->begin > 0 && relay->end == CLI_RELAY_SIZE)
    {
      memmove (relay->bytes, relay->bytes + relay->begin, filled (relay));
      relay->end -= relay->begin;
      relay->begin = 0;
    }
  return CLI_RELAY_SIZE - relay->end;
}

/* The end of our input is the end of file for the container, said as a terminal says it: once after
 * a line, and once more to end a line that was begun. */
static void
end_input (struct cli_terminal *terminal)
{
  struct termios settings;
  struct cli_relay *relay = &terminal->input;
  bool line_begun = terminal->last_byte != '\0' && terminal->last_byte != '\n';
  terminal->input_ended = true;
  if (terminal->raw || tcgetattr (terminal->master, &settings) < 0)
    return;
  for (int i = 0; i < (line_begun ? 2 : 1) && room (relay) > 0; i++)
    relay->bytes[relay->end++] = (char) settings.c_cc[VEOF];
}

static void
read_input (struct cli_terminal *terminal)
{
  struct cli_relay *relay = &terminal->input;
  /* Room for the end of file is kept. */
  size_t most = room (relay) > 2 ? room (relay) - 2 : 0;
  ssize_t n = most > 0 ? read (STDIN_FILENO, relay->bytes + relay->end, most) : -1;
  if (n > 0)
    {
      relay->end += (size_t) n;
      terminal->last_byte = relay->bytes[relay->end - 1];
    }
  else if (most > 0 && (n == 0 || !is_transient (errno)))
    end_input (terminal);
}

static void
write_master (struct cli_terminal *terminal)
{
  struct cli_relay *relay = &terminal->input;
  ssize_t n = write (terminal->master, relay->bytes + relay->begin, filled (relay));
  if (n >= 0)
    consume (relay, (size_t) n);
  else if (!is_transient (errno))
    relay->begin = relay->end = 0; /* nobody has it open: as with a terminal that was hung up */
}

/* EIO: no process has the other end open; one may open it again. */
static bool
read_master (struct cli_terminal *terminal)
{
  struct cli_relay *relay = &terminal->output;
  size_t most = room (relay);
  ssize_t n = most > 0 ? read (terminal->master, relay->bytes + relay->end, most) : 0;
  if (n > 0)
    relay->end += (size_t) n;
  terminal->hung_up = most > 0 && (n == 0 || (n < 0 && !is_transient (errno)));
  return n > 0;
}

static void
flush_output (struct cli_terminal *terminal)
{
  struct cli_relay *relay = &terminal->output;
  if (filled (relay) == 0)
    return;
  ssize_t n = write_output (terminal, relay->bytes + relay->begin, filled (relay));
  if (n >= 0)
    consume (relay, (size_t) n);
  else if (!is_transient (errno))
    terminal->output_ended = true;
  if (terminal->output_ended) /* nobody reads: the container is not to wait for that */
    relay->begin = relay->end = 0;
}

/* ---- for the one who waits ----------------------------------------------------------------------
 */

int
cli_terminal_watch (struct cli_terminal *terminal, struct pollfd fds[CLI_TERMINAL_FDS])
{
  bool has = terminal->master >= 0;
  bool room_in = has && !terminal->input_ended && room (&terminal->input) > 2;
  short master = 0;
  if (has && !terminal->hung_up && room (&terminal->output) > 0)
    master |= POLLIN;
  if (has && !terminal->hung_up && filled (&terminal->input) > 0)
    master |= POLLOUT;
  fds[0] = (struct pollfd){ room_in ? STDIN_FILENO : -1, POLLIN, 0 };
  fds[1] = (struct pollfd){ master != 0 ? terminal->master : -1, master, 0 };
  fds[2] = (struct pollfd){ has && filled (&terminal->output) > 0 ? terminal->output_fd : -1,
                            POLLOUT, 0 };
  return has && terminal->hung_up ? RETRY_MILLISECONDS : -1;
}

void
cli_terminal_relay (struct cli_terminal *terminal, const struct pollfd fds[CLI_TERMINAL_FDS])
{
  if (terminal->master < 0)
    return;
  if (fds[0].revents != 0)
    read_input (terminal);
  if ((fds[1].revents & POLLOUT) != 0)
    write_master (terminal);
  if ((fds[1].revents & ~POLLOUT) != 0 || terminal->hung_up)
    (void) read_master (terminal);
  if (fds[2].revents != 0)
    flush_output (terminal);
}

bool
cli_terminal_is_drained (struct cli_terminal *terminal)
{
  if (terminal->master < 0)
    return true;
  terminal->input_ended = true;
  size_t before = filled (&terminal->output);
  bool full = room (&terminal->output) == 0;
  bool more = !full && terminal->left < MOST_LEFT && read_master (terminal);
  terminal->left += filled (&terminal->output) - before;
  return !full && !more && filled (&terminal->output) == 0;
}
