/* A stand-in for the kernel's resctrl, for machines without such a CPU: as far as the rules of
 * filesystems/resctrl.rst go that a runtime meets. Spoken over /dev/fuse.
 *
 *   resctrl DIRECTORY     mounts itself there and serves in the background, until it is unmounted
 *
 * mkdir makes a class of service (at the top; four at most) or a monitoring group (in mon_groups)
 * with its files; rmdir takes it with them. `schemata` wants whole lines of L3 and MB, and says in
 * info/last_cmd_status what it did not like; `tasks` moves a process, and holds a monitoring group
 * to the processes of its own class. What has never been moved is at the top, and is not listed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum
{
  MOST_NODES = 128,
  MOST_TASKS = 1024,
  MOST_CLASSES = 4,
  ROOT = FUSE_ROOT_ID,
};

enum kind
{
  FREE,
  CLASS,
  MONITOR,
  PLAIN, /* a directory in which nothing can be made */
  MONITORS,
  SCHEMATA,
  TASKS,
  STATUS,
};

static struct node
{
  enum kind kind;
  uint64_t parent;
  char name[256];
  char text[4096]; /* of schemata */
} nodes[MOST_NODES];

static struct
{
  int pid;
  uint64_t group;
} tasks[MOST_TASKS];

static char last_status[256] = "ok\n";

static bool
is_directory (const struct node *node)
{
  return node->kind <= MONITORS;
}

/* ---- the tree ------------------------------------------------------------------------------- */

static uint64_t
find (uint64_t parent, const char *name)
{
  for (uint64_t i = ROOT; i < MOST_NODES; i++)
    if (nodes[i].kind != FREE && nodes[i].parent == parent && strcmp (nodes[i].name, name) == 0)
      return i;
  return 0;
}

static uint64_t
add (uint64_t parent, const char *name, enum kind kind)
{
  for (uint64_t i = ROOT; i < MOST_NODES; i++)
    if (nodes[i].kind == FREE)
      {
        nodes[i] = (struct node){ .kind = kind, .parent = parent };
        snprintf (nodes[i].name, sizeof nodes[i].name, "%s", name);
        return i;
      }
  return 0;
}

static uint64_t
add_group (uint64_t parent, const char *name, enum kind kind)
{
  uint64_t group = add (parent, name, kind);
  add (group, "tasks", TASKS);
  add (group, "mon_data", PLAIN);
  if (kind != CLASS)
    return group;
  add (group, "mon_groups", MONITORS);
  uint64_t schemata = add (group, "schemata", SCHEMATA);
  snprintf (nodes[schemata].text, sizeof nodes[schemata].text,
            "    MB:0=100;1=100\n    L3:0=fffff;1=fffff\n");
  return group;
}

static void
drop (uint64_t node)
{
  for (uint64_t i = ROOT + 1; i < MOST_NODES; i++)
    if (nodes[i].kind != FREE && nodes[i].parent == node)
      drop (i);
  for (size_t i = 0; i < MOST_TASKS; i++)
    if (tasks[i].group == node)
      tasks[i].group = ROOT;
  nodes[node].kind = FREE;
}

/* The class that a group, or a monitoring group in it, is. */
static uint64_t
class_of (uint64_t group)
{
  return nodes[group].kind == MONITOR ? nodes[nodes[group].parent].parent : group;
}

static int
make_directory (uint64_t parent, const char *name, uint64_t *ret_node)
{
  unsigned classes = 0;
  if (find (parent, name) != 0)
    return -EEXIST;
  if (nodes[parent].kind == MONITORS)
    *ret_node = add_group (parent, name, MONITOR);
  if (nodes[parent].kind == MONITORS)
    return 0;
  if (parent != ROOT)
    return -EPERM;
  for (uint64_t i = ROOT; i < MOST_NODES; i++)
    classes += nodes[i].kind == CLASS;
  if (classes == MOST_CLASSES)
    return -ENOSPC;
  *ret_node = add_group (parent, name, CLASS);
  return 0;
}

static int
remove_directory (uint64_t parent, const char *name)
{
  uint64_t node = find (parent, name);
  if (node == 0)
    return -ENOENT;
  if (nodes[node].kind != CLASS && nodes[node].kind != MONITOR)
    return -EPERM;
  drop (node);
  return 0;
}

/* ---- files ---------------------------------------------------------------------------------- */

static size_t
read_file (uint64_t file, char *text, size_t size)
{
  size_t length = 0;
  const struct node *node = &nodes[file];
  if (node->kind == SCHEMATA)
    return (size_t) snprintf (text, size, "%s", node->text);
  if (node->kind == STATUS)
    return (size_t) snprintf (text, size, "%s", last_status);
  for (size_t i = 0; i < MOST_TASKS; i++)
    if (tasks[i].pid != 0 && kill (tasks[i].pid, 0) == 0
        && (tasks[i].group == node->parent || class_of (tasks[i].group) == node->parent))
      length += (size_t) snprintf (text + length, size - length, "%d\n", tasks[i].pid);
  return length;
}

static int
write_schemata (struct node *node, char *text)
{
  char lines[sizeof node->text] = "";
  char *rest = text;
  if (*text == '\0' || text[strlen (text) - 1] != '\n')
    return -EINVAL;
  for (char *line; (line = strsep (&rest, "\n")) != NULL && rest != NULL;)
    {
      if (strncmp (line, "L3:", 3) != 0 && strncmp (line, "MB:", 3) != 0)
        {
          snprintf (last_status, sizeof last_status,
                    "Unknown or unsupported resource name '%.20s'\n", line);
          return -EINVAL;
        }
      snprintf (lines + strlen (lines), sizeof lines - strlen (lines), "    %s\n", line);
    }
  snprintf (node->text, sizeof node->text, "%s", lines);
  snprintf (last_status, sizeof last_status, "ok\n");
  return 0;
}

static int
move_task (uint64_t group, int pid)
{
  size_t i = 0;
  while (i < MOST_TASKS && tasks[i].pid != pid && tasks[i].pid != 0)
    i++;
  if (i == MOST_TASKS || kill (pid, 0) < 0)
    return -ESRCH;
  uint64_t now = tasks[i].pid == 0 ? ROOT : class_of (tasks[i].group);
  if (nodes[group].kind == MONITOR && now != class_of (group))
    {
      snprintf (last_status, sizeof last_status, "Can't move task to different control group\n");
      return -EINVAL;
    }
  tasks[i].pid = pid;
  tasks[i].group = group;
  return 0;
}

static int
write_file (uint64_t file, const char *bytes, size_t length)
{
  char text[4096];
  if (length >= sizeof text)
    return -E2BIG;
  memcpy (text, bytes, length);
  text[length] = '\0';
  if (nodes[file].kind == SCHEMATA)
    return write_schemata (&nodes[file], text);
  return nodes[file].kind == TASKS ? move_task (nodes[file].parent, atoi (text)) : -EPERM;
}

/* ---- fuse ----------------------------------------------------------------------------------- */

static void
reply (int fuse, uint64_t unique, int error, const void *bytes, size_t length)
{
  char out[sizeof (struct fuse_out_header) + (128 << 10)];
  struct fuse_out_header header = { .error = error, .unique = unique };
  if (error < 0)
    length = 0;
  header.len = (uint32_t) (sizeof header + length);
  memcpy (out, &header, sizeof header);
  memcpy (out + sizeof header, bytes, length);
  if (write (fuse, out, header.len) < 0 && errno != ENOENT)
    exit (1);
}

static struct fuse_attr
attributes (uint64_t node)
{
  bool directory = is_directory (&nodes[node]);
  return (struct fuse_attr){ .ino = node,
                             .mode = directory ? S_IFDIR | 0755 : S_IFREG | 0644,
                             .nlink = directory ? 2 : 1 };
}

static void
reply_entry (int fuse, uint64_t unique, int error, uint64_t node)
{
  struct fuse_entry_out out = { .nodeid = node, .generation = 1 };
  if (error == 0)
    out.attr = attributes (node);
  reply (fuse, unique, error, &out, sizeof out);
}

static void
reply_listing (int fuse, uint64_t unique, uint64_t directory, uint64_t offset, size_t size)
{
  char out[64 << 10];
  size_t length = 0;
  for (uint64_t i = offset < ROOT ? ROOT : offset; i < MOST_NODES; i++)
    if (nodes[i].kind != FREE && nodes[i].parent == directory)
      {
        size_t name = strlen (nodes[i].name);
        struct fuse_dirent entry = { .ino = i,
                                     .off = i + 1,
                                     .namelen = (uint32_t) name,
                                     .type = is_directory (&nodes[i]) ? DT_DIR : DT_REG };
        if (length + FUSE_DIRENT_ALIGN (FUSE_NAME_OFFSET + name) > size)
          break;
        memset (out + length, 0, FUSE_DIRENT_ALIGN (FUSE_NAME_OFFSET + name));
        memcpy (out + length, &entry, FUSE_NAME_OFFSET);
        memcpy (out + length + FUSE_NAME_OFFSET, nodes[i].name, name);
        length += FUSE_DIRENT_ALIGN (FUSE_NAME_OFFSET + name);
      }
  reply (fuse, unique, 0, out, length);
}

static void
reply_file (int fuse, uint64_t unique, uint64_t file, const struct fuse_read_in *in)
{
  char text[64 << 10];
  size_t length = read_file (file, text, sizeof text);
  size_t from = in->offset < length ? in->offset : length;
  reply (fuse, unique, 0, text + from, length - from < in->size ? length - from : in->size);
}

static void
serve (int fuse, const struct fuse_in_header *in, const void *body)
{
  uint64_t node = in->nodeid;
  int r;
  switch (in->opcode)
    {
    case FUSE_INIT:
      {
        struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096 };
        return reply (fuse, in->unique, 0, &out, sizeof out);
      }
    case FUSE_LOOKUP:
      node = find (node, body);
      return reply_entry (fuse, in->unique, node != 0 ? 0 : -ENOENT, node);
    case FUSE_GETATTR:
    case FUSE_SETATTR:
      {
        struct fuse_attr_out out = { .attr = attributes (node) };
        return reply (fuse, in->unique, 0, &out, sizeof out);
      }
    case FUSE_MKDIR:
      r = make_directory (node, (const char *) body + sizeof (struct fuse_mkdir_in), &node);
      return reply_entry (fuse, in->unique, r, node);
    case FUSE_RMDIR:
      return reply (fuse, in->unique, remove_directory (node, body), NULL, 0);
    case FUSE_OPEN:
    case FUSE_OPENDIR:
      {
        struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO };
        return reply (fuse, in->unique, 0, &out, sizeof out);
      }
    case FUSE_READDIR:
      return reply_listing (fuse, in->unique, node, ((const struct fuse_read_in *) body)->offset,
                            ((const struct fuse_read_in *) body)->size);
    case FUSE_READ:
      return reply_file (fuse, in->unique, node, body);
    case FUSE_WRITE:
      {
        const struct fuse_write_in *write_in = body;
        struct fuse_write_out out = { .size = write_in->size };
        r = write_file (node, (const char *) (write_in + 1), write_in->size);
        return reply (fuse, in->unique, r, &out, sizeof out);
      }
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      return;
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_FLUSH:
    case FUSE_DESTROY:
      return reply (fuse, in->unique, 0, NULL, 0);
    default:
      return reply (fuse, in->unique, -ENOSYS, NULL, 0);
    }
}

int
main (int argc, char **argv)
{
  static _Alignas(8) char in[64 << 10];
  char options[128];
  int fuse = open ("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (argc != 2 || fuse < 0)
    return perror ("/dev/fuse"), 1;
  add_group (0, "", CLASS);
  uint64_t info = add (ROOT, "info", PLAIN);
  add (info, "last_cmd_status", STATUS);
  snprintf (options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fuse);
  if (mount ("resctrl", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
    return perror (argv[1]), 1;
  pid_t pid = fork ();
  if (pid != 0)
    return printf ("%d\n", pid) < 0 || pid < 0;
  for (int fd = 0; fd < 3; fd++)
    close (fd);
  (void) setsid ();
  ssize_t length;
  while ((length = read (fuse, in, sizeof in)) > 0 || errno == EINTR)
    if (length > 0)
      serve (fuse, (const struct fuse_in_header *) in, in + sizeof (struct fuse_in_header));
  return 0;
}
