/* Every step of tare-init fails, dies, and stops: the host side is told which step it was, and
 * nothing is left. The list of steps is the test. Needs an init built with TARE_FAULTS. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sys.h"
#include "tests/protocol/drive.h"
#include "tests/unit/tap.h"

static pid_t
hold (uint64_t flags)
{
  struct sys_clone clone = { .flags = flags, .cgroup = -EBADF, .exit_signal = SIGCHLD };
  pid_t pid = sys_clone3 (&clone);
  if (pid != 0)
    return pid;
  for (;;)
    pause ();
}

static void
end_holder (pid_t pid)
{
  int status;
  kill (pid, SIGKILL);
  sys_wait_pid (pid, &status);
}

static void
join (struct drive *drive, uint32_t type, pid_t pid, const char *name)
{
  char path[64];
  snprintf (path, sizeof path, "/proc/%d/ns/%s", pid, name);
  drive_join (drive, type, path);
  drive->root.clone_flags &= ~(uint64_t) type;
}

/* A container in which every step is needed, but join_user and new_user exclude each other. */
static void
begin_with_all (struct drive *drive, pid_t holder, bool joins_user)
{
  drive_begin (drive);
  join (drive, CLONE_NEWNET, holder, "net");
  if (joins_user)
    join (drive, CLONE_NEWUSER, holder, "user");
  else
    drive->root.flags |= PLAN_UNSHARE_USER;
  drive->root.unshare_flags = drive->root.clone_flags | CLONE_NEWTIME;
  drive->root.clone_flags = 0;
  drive->root.flags |= PLAN_FORK | PLAN_USER_NAMESPACE | PLAN_TIME_OFFSETS
                       | PLAN_NEW_CGROUP_NAMESPACE | PLAN_NET_DEVICES;
  drive->user_map = "0 0 4294967295\n";
  drive->offsets = "monotonic 1 0\n";
  drive->mounts[5].instead = plan_put_text (&drive->builder, "/sys");
  drive->sysctls[drive->n_sysctls++] =
      (struct plan_sysctl){ plan_put_text (&drive->builder, "kernel/shmmni"),
                            plan_put_text (&drive->builder, "111") };
  drive->rlimits[drive->n_rlimits++] = (struct plan_rlimit){ RLIMIT_NOFILE, 99, 99 };
  drive->root.flags &= ~(uint64_t) PLAN_LOOPBACK_UP;
  drive->timeout = 5000;
}

/* Process 1 cannot kill itself: there it leaves without a word. */
static bool
was_killed (const struct drive *drive)
{
  return !drive->alive
         && (WIFSIGNALED (drive->status) || WEXITSTATUS (drive->status) == 128 + SIGKILL);
}

static size_t
mountinfo_size (void)
{
  static char text[1 << 20];
  autoclose int fd = open ("/proc/self/mountinfo", O_RDONLY);
  ssize_t length = sys_read_full (fd, text, sizeof text);
  return length < 0 ? 0 : (size_t) length;
}

static void
map_holder (pid_t pid)
{
  static const char *const names[] = { "uid_map", "gid_map" };
  for (size_t i = 0; i < COUNT_OF (names); i++)
    {
      char path[64];
      snprintf (path, sizeof path, "/proc/%d/%s", pid, names[i]);
      autoclose int fd = open (path, O_WRONLY);
      ok (sys_write_once (fd, "0 0 4294967295\n") == 0, "%s", path);
    }
}

/* After EXECUTING silence means success: the host side cannot see that init died later. */
static bool
is_silent (enum init_step step)
{
  return step == INIT_STEP_seccomp_late || step == INIT_STEP_execute;
}

static bool
is_after_run (enum init_step step)
{
  return step == INIT_STEP_wait;
}

static void
test_fail (struct drive *drive, enum init_step step)
{
  const char *name = init_step_name ((uint32_t) step + 1);
  int r = drive_run (drive);
  char wanted[64];
  snprintf (wanted, sizeof wanted, "injected fault in step %s", name);
  if (is_after_run (step)) /* nobody listens any more */
    ok (r < 0, "fail in %s: start fails", name);
  else if (!ok (r == -EIO && strstr (drive->error.message, wanted) != NULL
                    && drive->error.step == step + 1,
                "fail in %s: is told with its step", name))
    tap_note ("%d %u '%s'", r, drive->error.step, drive->error.message);
  ok (!drive->alive && WIFEXITED (drive->status), "fail in %s: init ended", name);
}

static void
test_kill (struct drive *drive, enum init_step step)
{
  const char *name = init_step_name ((uint32_t) step + 1);
  int r = drive_run (drive);
  bool told = r < 0 && (is_after_run (step) || drive->error.kind == TARE_ERROR_PROTOCOL);
  if (!ok (is_silent (step) ? r == 0 : told, "kill in %s: the end of file is %s", name,
           is_silent (step) ? "success" : "an error"))
    tap_note ("%d '%s'", r, drive->error.message);
  is_text (init_step_name (drive->progress->step), name, "kill: the progress page names the step");
  ok (was_killed (drive), "kill in %s: init is gone", name);
}

/* A stopped init must not keep anybody from killing it. */
static void
test_stop (struct drive *drive, enum init_step step)
{
  const char *name = init_step_name ((uint32_t) step + 1);
  drive->timeout = 100;
  int r = drive_spawn (drive);
  if (r >= 0)
    r = drive_create (drive);
  if (r >= 0)
    r = drive_start (drive);
  ok (r < 0, "stop in %s: nothing comes", name);
  is_text (init_step_name (drive->progress->step), name, "stop: the progress page names the step");
  sys_pidfd_send_signal (drive->pidfd, SIGKILL);
  ok (drive_wait (drive) >= 0 && WIFSIGNALED (drive->status), "stop in %s: it can be killed", name);
}

/* What only one step needs. It is never carried out: the fault comes first. */
static void
need (struct drive *drive, enum init_step step, pid_t holder)
{
  struct plan_hook hook = {
    .label = plan_put_text (&drive->builder, "hook"),
    .path = plan_put_text (&drive->builder, "/bin/true"),
  };
  switch (step)
    {
    case INIT_STEP_network: /* the joined one is not ours to bring up */
      drive->root.flags |= PLAN_LOOPBACK_UP;
      break;
    case INIT_STEP_enter_network:
      drive->root.flags |= PLAN_HOST_NETWORK;
      drive->n_sysctls = drive->n_mounts = 0; /* they would enter it before */
      break;
    case INIT_STEP_join_container:
      drive->root.kind = PLAN_EXEC;
      drive->container = sys_pidfd_open (holder);
      close_fd (&drive->join_fds[--drive->n_joins]);
      drive->root.container_namespaces = CLONE_NEWNET;
      break;
    case INIT_STEP_host_hooks:
      drive->root.flags |= PLAN_HOST_FIRST;
      break;
    case INIT_STEP_create_hooks:
      drive->create_hooks[drive->n_create_hooks++] = hook;
      break;
    case INIT_STEP_start_hooks:
      drive->start_hooks[drive->n_start_hooks++] = hook;
      break;
    case INIT_STEP_console:
      drive->root.flags |= PLAN_CONSOLE;
      break;
    case INIT_STEP_terminal:
      drive->root.flags |= PLAN_TERMINAL;
      break;
    case INIT_STEP_attributes:
      drive->root.personality = 1;
      break;
    case INIT_STEP_labels:
      drive->root.apparmor_profile = plan_put_text (&drive->builder, "unconfined");
      break;
    case INIT_STEP_seccomp_early:
      drive->root.flags &= ~(uint64_t) PLAN_NO_NEW_PRIVILEGES;
      drive->root.flags |= PLAN_SECCOMP;
      break;
    case INIT_STEP_seccomp_late:
      drive->root.flags |= PLAN_SECCOMP;
      break;
    default:
      break;
    }
}

static void
test_all (const char *action, void (*test) (struct drive *drive, enum init_step step))
{
  for (int i = 0; i < INIT_STEP_COUNT; i++)
    {
      struct drive drive;
      char fault[64];
      bool joins_user = i == INIT_STEP_join_user;
      size_t mounts = mountinfo_size ();
      pid_t holder = hold (CLONE_NEWNET | (joins_user ? CLONE_NEWUSER : 0));
      if (joins_user)
        map_holder (holder);
      begin_with_all (&drive, holder, joins_user);
      need (&drive, (enum init_step) i, holder);
      snprintf (fault, sizeof fault, "init:%s:%s", init_step_name ((uint32_t) i + 1), action);
      drive.fault = fault;
      test (&drive, (enum init_step) i);
      if (drive.root.kind == PLAN_EXEC)
        close_fd (&drive.container);
      drive_end (&drive);
      end_holder (holder);
      ok (mountinfo_size () == mounts, "the host's mounts are as before");
    }
}

/* Without a fault, the same container runs: so every failure above is the fault's. */
static void
test_control (bool joins_user)
{
  struct drive drive;
  pid_t holder = hold (CLONE_NEWNET | (joins_user ? CLONE_NEWUSER : 0));
  if (joins_user)
    map_holder (holder);
  begin_with_all (&drive, holder, joins_user);
  drive.fault = "";
  int r = drive_run (&drive);
  if (!ok (r == 0 && drive.status == 0, "control: without a fault it runs"))
    tap_note ("%d '%s' %s", r, drive.error.message, drive.output);
  drive_end (&drive);
  end_holder (holder);
}

/* ---- what the host side or a client may do wrong ------------------------------------------- */

static void
test_host_dies (void)
{
  struct drive drive;
  drive_begin (&drive);
  ok (drive_spawn (&drive) == 0, "spawned");
  close_fd (&drive.channel.fd);
  ok (drive_wait (&drive) >= 0 && WIFEXITED (drive.status) && WEXITSTATUS (drive.status) == 1,
      "the host side dies before GO: init ends");
  drive_end (&drive);

  drive_begin (&drive);
  ok (drive_spawn (&drive) == 0 && drive_create (&drive) == 0, "created");
  close_fd (&drive.channel.fd);
  struct pollfd wait = { .fd = drive.pidfd, .events = POLLIN };
  ok (poll (&wait, 1, 200) == 0, "the host side dies after RUN: init waits for start");
  ok (drive_start (&drive) == 0 && drive_wait (&drive) >= 0 && drive.status == 0,
      "and can be started");
  drive_end (&drive);
}

static void
test_clients (void)
{
  struct drive drive;
  pid_t peer = 0;
  drive_begin (&drive);
  ok (drive_spawn (&drive) == 0 && drive_create (&drive) == 0, "created");
  for (int i = 0; i < 3; i++)
    {
      autoclose int fd = drive_connect (&drive);
      ok (fd >= 0, "a client connects and leaves");
    }
  int fd = drive_connect (&drive);
  ok (sys_socket_peer_pid (fd, &peer) == 0 && peer == drive.pid, "SO_PEERCRED names init");
  (void) !write (fd, "nonsense", 8);
  close_fd (&fd);
  ok (drive_start (&drive) == 0 && drive_wait (&drive) >= 0 && drive.status == 0,
      "the one that says START starts it");
  ok (drive_start (&drive) < 0, "a second start fails");
  drive_end (&drive);
}

static void
test_term_when_created (void)
{
  struct drive drive;
  drive_begin (&drive);
  drive.root.clone_flags &= ~(uint64_t) CLONE_NEWPID;
  drive_bare (&drive);
  ok (drive_spawn (&drive) == 0 && drive_create (&drive) == 0,
      "created, in the host's pid namespace");
  sys_pidfd_send_signal (drive.pidfd, SIGTERM);
  ok (drive_wait (&drive) >= 0 && WIFSIGNALED (drive.status) && WTERMSIG (drive.status) == SIGTERM,
      "TERM ends it");
  drive_end (&drive);
}

/* A wrong message at GO is an error that names both. */
static void
test_wrong_message (void)
{
  struct drive drive;
  drive_begin (&drive);
  ok (drive_spawn (&drive) == 0, "spawned");
  ok (channel_send (&drive.channel, MESSAGE_RUN, 0, NULL, 0, &drive.error) == 0,
      "RUN instead of GO");
  int r = channel_receive (&drive.channel, MESSAGE_ROOTFS_READY, NULL, &drive.error);
  ok (r == -EPROTO, "is refused");
  is_text (drive.error.message, "received RUN where GO was expected",
           "by an error that names both");
  is_number (drive.error.step, 1 + INIT_STEP_go, "and the step");
  drive_wait (&drive);
  drive_end (&drive);
}

int
main (void)
{
  if (getuid () != 0 || drive_init_path (true) == NULL || drive_init_path (false) == NULL)
    {
      printf ("Bail out! needs root, tare-init and one with TARE_FAULTS (TARE_INIT_FAULTS)\n");
      return 99;
    }
  test_control (false);
  test_control (true);
  test_all ("fail", test_fail);
  test_all ("kill", test_kill);
  test_all ("stop", test_stop);
  test_host_dies ();
  test_clients ();
  test_term_when_created ();
  test_wrong_message ();
  return tap_done ();
}
