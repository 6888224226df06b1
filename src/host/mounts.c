/* What the host side does for init's mounts: it opens the sources of binds that the ids of a user
 * namespace may not reach, and maps the ids of mounts, for which one needs rights over their file
 * system. Serves config.md "Mounts" (uidMappings, idmap), mount_setattr(2).
 *
 * init asks by number, in the plan's order; what is done is what our own plan says of that mount.
 */
#include "host/internal.h"

#include <stdio.h>
#include <unistd.h>

/* ---- a user namespace for a map -------------------------------------------------------------- */

/* Lives until the other end of the socket is closed, which our own death does too. */
static _Noreturn void
hold_namespace (int socket)
{
  char byte;
  if (sys_dup3 (socket, 0, 0) >= 0 || socket == 0)
    {
      (void) sys_close_range (1, ~0U, 0);
      (void) sys_read_full (0, &byte, 1);
    }
  _exit (0);
}

static int
write_maps (pid_t pid, const char *uid_map, const char *gid_map, struct tare_error *error)
{
  int r = process_write_file (pid, "uid_map", uid_map, error);
  return r < 0 ? r : process_write_file (pid, "gid_map", gid_map, error);
}

static int
open_namespace_of (pid_t pid, struct tare_error *error)
{
  char path[64];
  (void) snprintf (path, sizeof path, "/proc/%d/ns/user", (int) pid);
  int fd = sys_open (path, O_RDONLY, 0);
  return fd < 0 ? fail (error, fd, "open the user namespace '%s'", path) : fd;
}

/* A user namespace in which nobody lives, with these maps. */
static int
make_namespace (const char *uid_map, const char *gid_map, struct tare_error *error)
{
  int pair[2], pidfd = -EBADF, status;
  sigset_t mask;
  struct sys_clone clone = {
    .flags = CLONE_NEWUSER | CLONE_CLEAR_SIGHAND,
    .pidfd = &pidfd,
    .cgroup = -EBADF,
  };
  int r = sys_socketpair (pair);
  if (r < 0)
    return fail (error, r, "make a socket pair");
  (void) sys_block_signals (&mask);
  pid_t pid = sys_clone3 (&clone);
  if (pid == 0)
    hold_namespace (pair[0]);
  (void) sys_set_signal_mask (&mask);
  close_fd (&pair[0]);
  autoclose int holder = pidfd, namespace = -EBADF;
  r = pid < 0 ? fail (error, pid, "make a user namespace")
              : write_maps (pid, uid_map, gid_map, error);
  if (r >= 0)
    r = namespace = open_namespace_of (pid, error);
  close_fd (&pair[1]);
  if (holder >= 0)
    (void) sys_pidfd_wait (holder, &status);
  return r < 0 ? r : take_fd (&namespace);
}

/* ---- what is asked ----------------------------------------------------------------------------
 */

struct answers
{
  const struct plan *plan;
  const struct plan_mount *mount; /* of plan */
  /* the last namespace made, and the maps that it has */
  int namespace;
  plan_text uid_map, gid_map;
};

static int
open_source (const struct answers *answers, int root, int *ret_source, struct tare_error *error)
{
  const uint64_t links = PLAN_MOUNT_SOURCE_NOFOLLOW | PLAN_MOUNT_COPY_SYMLINK;
  const char *path = plan_string (answers->plan, answers->mount->source);
  uint64_t flags = O_PATH | ((answers->mount->flags & links) != 0 ? O_NOFOLLOW : 0);
  int fd = sys_openat2 (root, path, flags, 0, RESOLVE_IN_ROOT);
  if (fd == -EXDEV || fd == -ELOOP)
    return 0; /* a door of /proc: init's own business, by the path */
  if (fd < 0)
    return fail (error, fd, "bind source '%s'", path);
  *ret_source = fd;
  return 0;
}

static bool
equal_texts (const struct plan *plan, plan_text a, plan_text b)
{
  return str_equal (plan_string (plan, a), plan_string (plan, b));
}

/* Mounts that follow each other mostly have the same maps. */
static int
find_namespace (const struct container *container, struct answers *answers,
                struct tare_error *error)
{
  const struct plan *plan = answers->plan;
  const struct plan_mount *mount = answers->mount;
  bool own = mount->uid_map == 0, last_own = answers->uid_map == 0;
  if (answers->namespace >= 0 && own == last_own
      && (own
          || (equal_texts (plan, mount->uid_map, answers->uid_map)
              && equal_texts (plan, mount->gid_map, answers->gid_map))))
    return answers->namespace;
  close_fd (&answers->namespace);
  answers->uid_map = mount->uid_map;
  answers->gid_map = mount->gid_map;
  answers->namespace = own ? open_namespace_of (container->pid, error)
                           : make_namespace (plan_string (plan, mount->uid_map),
                                             plan_string (plan, mount->gid_map), error);
  return answers->namespace;
}

static int
map_ids (const struct container *container, struct answers *answers, int tree,
         struct tare_error *error)
{
  bool recursive = (answers->mount->flags & PLAN_MOUNT_IDMAP_RECURSIVE) != 0;
  int namespace = find_namespace (container, answers, error);
  if (namespace < 0)
    return wrap (error, namespace, "idmap");
  struct mount_attr attributes = {
    .attr_set = MOUNT_ATTR_IDMAP,
    .userns_fd = (uint64_t) namespace,
  };
  int r = sys_mount_setattr (tree, recursive ? AT_RECURSIVE : 0, &attributes);
  if (r == -EINVAL)
    return fail (error, r, "idmap: the file system of '%s' cannot be idmapped by this kernel",
                 plan_string (answers->plan, answers->mount->source));
  if (r == -EPERM)
    return fail (error, r, "idmap: the runtime has no rights over the file system of '%s'",
                 plan_string (answers->plan, answers->mount->source));
  return r < 0 ? fail (error, r, "idmap") : 0;
}

/* ---- the row ----------------------------------------------------------------------------------
 */

static const uint64_t asking[] = { PLAN_MOUNT_SOURCE_BY_HOST, PLAN_MOUNT_IDMAP };

static const struct plan *
plan_of (const struct container *container)
{
  return (const struct plan *) container->builder.buf.bytes;
}

static size_t
count_questions (const struct container *container)
{
  const struct plan *plan = plan_of (container);
  const struct plan_mount *mount = plan_elements (plan, plan->mounts);
  size_t count = 0;
  for (size_t i = 0; i < plan->mounts.count; i++)
    for (size_t k = 0; k < COUNT_OF (asking); k++)
      count += (mount[i].flags & asking[k]) != 0;
  return count;
}

bool
row_has_mounts (const struct container *container)
{
  return count_questions (container) > 0;
}

/* Does what mount asks of us to received's descriptor; *ret_fd: what goes back, if anything. */
static int
answer (const struct container *container, struct answers *answers, uint64_t question, int fd,
        int *ret_fd, struct tare_error *error)
{
  int r = question == PLAN_MOUNT_IDMAP ? map_ids (container, answers, fd, error)
                                       : open_source (answers, fd, ret_fd, error);
  return r < 0 ? wrap (error, r, "%s '%s'", plan_string (answers->plan, answers->mount->label),
                       plan_string (answers->plan, answers->mount->target))
               : 0;
}

static int
send_answer (struct container *container, struct tare_error *error)
{
  int r = channel_send (&container->channel, MESSAGE_MOUNTED, 0, container->outgoing,
                        container->n_outgoing, error);
  container->n_outgoing = 0;
  close_fd (&container->source);
  return r == -EPIPE || r == -ECONNRESET ? -ESRCH : r; /* the runner asks why */
}

static int
next_question (struct container *container, struct received *received, struct tare_error *error)
{
  for (size_t i = 0; i < received->n_fds; i++)
    close_fd (&received->fds[i]);
  received->n_fds = 0;
  int r = channel_receive (&container->channel, MESSAGE_MOUNT, received, error);
  return r == -ECONNRESET ? spawn_explain_death (container, error) : r;
}

static int
serve (struct container *container, struct answers *answers, struct received *received,
       struct tare_error *error)
{
  const struct plan_mount *mount = plan_elements (answers->plan, answers->plan->mounts);
  size_t left = count_questions (container);
  for (size_t i = 0; i < answers->plan->mounts.count; i++)
    for (size_t k = 0; k < COUNT_OF (asking); k++)
      {
        if ((mount[i].flags & asking[k]) == 0)
          continue;
        if (received->value != i || received->n_fds != 1)
          return fail_kind (error, TARE_ERROR_PROTOCOL, EPROTO, "init asks for mount %llu, not %zu",
                            (unsigned long long) received->value, i);
        answers->mount = &mount[i];
        int r = answer (container, answers, asking[k], received->fds[0], &container->source, error);
        if (r >= 0 && container->source >= 0)
          container->outgoing[container->n_outgoing++] = container->source;
        /* The last answer is sent by the table. */
        if (r >= 0 && --left > 0)
          r = send_answer (container, error);
        if (r >= 0 && left > 0)
          r = next_question (container, received, error);
        if (r < 0)
          return r;
      }
  return 0;
}

int
row_mounts (struct container *container, struct received *received, struct tare_error *error)
{
  struct answers answers = { .plan = plan_of (container), .namespace = -EBADF };
  int r = serve (container, &answers, received, error);
  close_fd (&answers.namespace);
  return r;
}
