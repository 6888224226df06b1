/* Compiled filters, kept for the next container with the same profile: libseccomp takes longer to
 * compile the profile of Docker or Podman than all the rest of a `run` takes. Below the state root,
 * which is ours alone: .seccomp/XX, 64 files at most, named by a hash of the key. The key is all
 * that the program depends on, and is compared as a whole: two profiles with one hash take each
 * other's place, and no profile gets another's filter. That nothing is found, or can be kept, is
 * never an error.
 */
#include "host/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY ".seccomp"

enum
{
  SLOTS = 64,
  MOST_BYTES = 4 << 20,
  RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
};

static const char magic[8] = "tare-bpf";

struct header
{
  char magic[8];
  uint64_t key_length, program_length; /* the key follows, then the program */
};

static unsigned
slot_of (const struct buf *key)
{
  uint64_t hash = UINT64_C (14695981039346656037); /* FNV-1a */
  for (size_t i = 0; i < key->length; i++)
    hash = (hash ^ (unsigned char) key->bytes[i]) * UINT64_C (1099511628211);
  return (unsigned) (hash % SLOTS);
}

static void
slot_name (const struct buf *key, char name[3])
{
  (void) snprintf (name, 3, "%02x", slot_of (key));
}

/* All of the file at once; NULL if it is not one that we have written. */
static char *
read_file (int root, const struct buf *key, size_t *ret_length)
{
  struct sys_stat st;
  char path[sizeof DIRECTORY "/xx"], name[3];
  slot_name (key, name);
  (void) snprintf (path, sizeof path, DIRECTORY "/%s", name);
  autoclose int fd = sys_openat2 (root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, RESOLVE);
  if (fd < 0 || sys_stat (fd, NULL, &st) < 0 || !S_ISREG (st.mode) || st.uid != geteuid ()
      || (st.mode & 077) != 0 || st.size > MOST_BYTES)
    return NULL;
  char *bytes = malloc (st.size + 1);
  ssize_t length = bytes != NULL ? sys_read_full (fd, bytes, st.size) : -1;
  if (length < 0 || (uint64_t) length != st.size)
    {
      free (bytes);
      return NULL;
    }
  *ret_length = (size_t) length;
  return bytes;
}

bool
filter_cache_find (int root, const struct buf *key, int fd)
{
  size_t length;
  struct header header;
  autofree char *bytes = read_file (root, key, &length);
  if (bytes == NULL || length < sizeof header + key->length)
    return false;
  memcpy (&header, bytes, sizeof header);
  if (memcmp (header.magic, magic, sizeof magic) != 0 || header.key_length != key->length
      || memcmp (bytes + sizeof header, key->bytes, key->length) != 0)
    return false;
  size_t begin = sizeof header + key->length;
  /* Of less than all of it the kernel might take a part for a program. */
  return length > begin && length - begin == header.program_length
         && sys_write_full (fd, bytes + begin, length - begin) >= 0;
}

/* The new file takes the old one's place as a whole. The lock is its writer's alone; who does not
 * get it leaves it to the other. */
static int
write_file (int root, const struct buf *key, const void *program, size_t length)
{
  struct header header = { .key_length = key->length, .program_length = length };
  char name[3];
  memcpy (header.magic, magic, sizeof magic);
  slot_name (key, name);
  (void) sys_mkdirat (root, DIRECTORY, 0700);
  autoclose int directory = sys_openat2 (root, DIRECTORY, O_RDONLY | O_DIRECTORY, 0, RESOLVE);
  int r = directory < 0 ? directory : sys_flock (directory, LOCK_EX | LOCK_NB);
  if (r < 0)
    return r;
  autoclose int fd =
      sys_openat2 (directory, "new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600, RESOLVE);
  r = fd < 0 ? fd : sys_write_full (fd, &header, sizeof header);
  if (r >= 0)
    r = sys_write_full (fd, key->bytes, key->length);
  if (r >= 0)
    r = sys_write_full (fd, program, length);
  if (r >= 0)
    r = sys_renameat (directory, "new", name);
  if (r < 0)
    (void) sys_unlinkat (directory, "new", 0);
  return r;
}

void
filter_cache_keep (int root, const struct buf *key, int fd)
{
  struct sys_stat st;
  int r = sys_stat (fd, NULL, &st);
  if (r < 0 || st.size == 0 || key->length + st.size > MOST_BYTES / 2)
    return;
  void *program = sys_map (fd, st.size, false, &r);
  if (program == NULL)
    return;
  (void) write_file (root, key, program, st.size);
  sys_unmap (program, st.size);
}
