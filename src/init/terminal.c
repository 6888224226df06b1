/* The terminal of a process: a pty of the container's own devpts, its master for the host side, its
 * other end on 0, 1 and 2 and, for a container, on /dev/console. Serves config.md "Process"
 * (terminal, consoleSize), config-linux.md "Default Devices".
 *
 * The image may have put anything in /dev: nothing is followed, what is opened is seen to be of a
 * devpts, and the other end comes from the kernel, not from a path (CVE-2025-52565).
 */
#include "init/init.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO ('T', 0x41)
#endif

enum
{
  MASTER_MAJOR = 5, /* 5:2, /dev/ptmx */
  MASTER_MINOR = 2,
  SLAVE_MAJOR = 136,
};

static const char pts_path[] = "/dev/pts";
static const char console_path[] = "/dev/console";

struct terminal
{
  int master, slave;
  uint32_t number; /* /dev/pts/N */
};

static void
terminal_done (struct terminal *terminal)
{
  close_fd (&terminal->master);
  close_fd (&terminal->slave);
}

static int
open_devpts (const struct init *init, struct tare_error *error)
{
  uint64_t magic = 0;
  autoclose int pts = resolve (init->root, pts_path, RESOLVE_NO_SYMLINKS);
  int r = pts < 0 ? pts : sys_fs_magic (pts, &magic);
  if (r < 0)
    return fail (error, r, "process.terminal: open '%s'", pts_path);
  if (magic != DEVPTS_SUPER_MAGIC)
    return fail_kind (error, TARE_ERROR_CONFIG, ENODEV,
                      "process.terminal: '%s' is not a mount of type devpts", pts_path);
  return take_fd (&pts);
}

/* Of this very file system, and of this device. */
static int
check_end (int fd, int devpts, uint32_t major)
{
  struct sys_stat st, fs;
  int r = sys_stat (fd, NULL, &st);
  if (r >= 0)
    r = sys_stat (devpts, NULL, &fs);
  if (r < 0)
    return r;
  bool same = st.device_major == fs.device_major && st.device_minor == fs.device_minor;
  return same && S_ISCHR (st.mode) && st.rdev_major == major ? (int) st.rdev_minor : -ENOTTY;
}

static int
open_master (int devpts, struct tare_error *error)
{
  autoclose int master = sys_openat2 (devpts, "ptmx", O_RDWR | O_NOCTTY, 0,
                                      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
  int minor = master < 0 ? master : check_end (master, devpts, MASTER_MAJOR);
  if (minor >= 0 && minor != MASTER_MINOR)
    minor = -ENOTTY;
  return minor < 0 ? fail (error, minor, "process.terminal: open '%s/ptmx'", pts_path)
                   : take_fd (&master);
}

static int
open_slave (struct terminal *terminal, int devpts, struct tare_error *error)
{
  int unlock = 0;
  int r = ioctl (terminal->master, TIOCSPTLCK, &unlock) < 0 ? -errno : 0;
  if (r >= 0)
    r = terminal->slave = ioctl (terminal->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (r == -1)
    r = -errno;
  if (r >= 0)
    r = check_end (terminal->slave, devpts, SLAVE_MAJOR);
  if (r < 0)
    return fail (error, r, "process.terminal: open the other end");
  terminal->number = (uint32_t) r;
  return 0;
}

/* The program's user owns it. Its group is devpts's business (gid=5). */
static int
set_up (const struct init *init, const struct terminal *terminal, struct tare_error *error)
{
  const struct plan *plan = init->plan;
  struct winsize size = { .ws_row = (unsigned short) plan->terminal_rows,
                          .ws_col = (unsigned short) plan->terminal_columns };
  if ((size.ws_row != 0 || size.ws_col != 0) && ioctl (terminal->master, TIOCSWINSZ, &size) < 0)
    return fail (error, errno, "process.consoleSize: %ux%u", size.ws_row, size.ws_col);
  int r = sys_fchownat (terminal->slave, "", plan->uid, (uint32_t) -1, AT_EMPTY_PATH);
  if (r < 0)
    return fail (error, r, "process.terminal: give it to user %u", plan->uid);
  return 0;
}

static int
take_over (const struct terminal *terminal, struct tare_error *error)
{
  int r = ioctl (terminal->slave, TIOCSCTTY, 0) < 0 ? -errno : 0;
  if (r < 0)
    return fail (error, r, "process.terminal: make it the controlling terminal");
  for (int fd = STDIN_FILENO; r >= 0 && fd <= STDERR_FILENO; fd++)
    r = sys_dup3 (terminal->slave, fd, 0);
  return r < 0 ? fail (error, r, "process.terminal: put it on descriptors 0 to 2") : 0;
}

/* ---- /dev/console -------------------------------------------------------------------------- */

/* While the root can still be written: something to bind the terminal to. */
int
step_console (struct init *init, struct tare_error *error)
{
  autoclose int target =
      resolve_or_make (init->root, console_path, RESOLVE_NO_SYMLINKS, RESOLVE_FILE);
  return target < 0 ? fail (error, target, "process.terminal: make '%s'", console_path) : 0;
}

static int
bind_console (const struct init *init, const struct terminal *terminal, struct tare_error *error)
{
  autoclose int tree = sys_open_tree (terminal->slave, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  if (tree < 0)
    return fail (error, tree, "process.terminal: clone it for '%s'", console_path);
  autoclose int target = resolve (init->root, console_path, RESOLVE_NO_SYMLINKS);
  int r = target < 0 ? target : sys_move_mount (tree, target);
  return r < 0 ? fail (error, r, "process.terminal: bind it to '%s'", console_path) : 0;
}

/* ---- the step ------------------------------------------------------------------------------ */

int
step_terminal (struct init *init, struct tare_error *error)
{
  __attribute__ ((cleanup (terminal_done))) struct terminal terminal = { -EBADF, -EBADF, 0 };
  autoclose int devpts = open_devpts (init, error);
  if (devpts < 0)
    return devpts;
  int r = terminal.master = open_master (devpts, error);
  if (r >= 0)
    r = open_slave (&terminal, devpts, error);
  if (r >= 0)
    r = set_up (init, &terminal, error);
  if (r >= 0 && init_flag (init, PLAN_CONSOLE))
    r = bind_console (init, &terminal, error);
  if (r >= 0)
    r = channel_send (&init->channel, MESSAGE_TERMINAL, terminal.number, &terminal.master, 1,
                      error);
  return r < 0 ? r : take_over (&terminal, error);
}
