/* The arena: blocks from mmap, a bumped pointer in the newest. Serves one config, or one object
 * of its kind; may not know what it holds. mmap because a frozen block must own its pages.
 */
#define _GNU_SOURCE
#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Memory from mmap is no business of the address sanitizer unless it is told. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define GAP 16
#else
#define GAP                                  0
#define ASAN_POISON_MEMORY_REGION(p, size)   ((void) (p), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void) (p), (void) (size))
#endif

#define ALIGNMENT   16
#define BLOCK_FIRST ((size_t) 64 * 1024)
#define BLOCK_MOST  ((size_t) 4 * 1024 * 1024)

struct arena_block
{
  struct arena_block *next;
  size_t size; /* with this header */
  size_t used;
} __attribute__ ((aligned (ALIGNMENT)));

static size_t
round_up (size_t size, size_t unit)
{
  return (size + unit - 1) / unit * unit;
}

/* Each block doubles the last one, so that their number stays small. */
static struct arena_block *
add_block (struct arena *arena, size_t need)
{
  size_t size = arena->blocks == NULL ? BLOCK_FIRST : 2 * arena->blocks->size;
  if (size > BLOCK_MOST)
    size = BLOCK_MOST;
  if (size < need + sizeof (struct arena_block))
    size = round_up (need + sizeof (struct arena_block), (size_t) sysconf (_SC_PAGESIZE));

  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return NULL;
  struct arena_block *block = memory;
  block->next = arena->blocks;
  block->size = size;
  block->used = sizeof *block;
  ASAN_POISON_MEMORY_REGION (block + 1, size - sizeof *block);
  arena->blocks = block;
  return block;
}

/* alignment: 1 for text, of which a config has thousands, else ALIGNMENT. */
static void *
allocate (struct arena *arena, size_t size, size_t alignment)
{
  if (size > SIZE_MAX / 2 || (arena->limit != 0 && size > arena->limit - arena->total))
    {
      errno = ENOMEM;
      return NULL;
    }
  struct arena_block *block = arena->blocks;
  size_t at = block == NULL ? 0 : round_up (block->used, alignment);
  if (block == NULL || at > block->size || size + GAP > block->size - at)
    {
      block = add_block (arena, size + GAP);
      if (block == NULL)
        return NULL;
      at = block->used;
    }
  void *memory = (char *) block + at;
  block->used = at + size + GAP;
  arena->total += size;
  ASAN_UNPOISON_MEMORY_REGION (memory, size);
  return memory;
}

void *
arena_allocate (struct arena *arena, size_t size)
{
  return allocate (arena, size, ALIGNMENT);
}

char *
arena_copy (struct arena *arena, const char *bytes, size_t length)
{
  char *copy = length == SIZE_MAX ? NULL : allocate (arena, length + 1, 1);
  if (copy != NULL && length > 0)
    memcpy (copy, bytes, length);
  return copy;
}

char *
arena_format (struct arena *arena, const char *format, ...)
{
  char usual[256]; /* nearly always enough, so that it is formatted but once */
  va_list arguments;
  va_start (arguments, format);
  int length = vsnprintf (usual, sizeof usual, format, arguments);
  va_end (arguments);
  if (length >= 0 && (size_t) length < sizeof usual)
    return arena_copy (arena, usual, (size_t) length);
  char *text = length < 0 ? NULL : allocate (arena, (size_t) length + 1, 1);
  if (text == NULL)
    return NULL;
  va_start (arguments, format);
  (void) vsnprintf (text, (size_t) length + 1, format, arguments);
  va_end (arguments);
  return text;
}

int
arena_freeze (struct arena *arena)
{
  for (struct arena_block *block = arena->blocks; block != NULL; block = block->next)
    {
      if (block->used == block->size)
        continue; /* full, or frozen before: its header cannot be written */
      block->used = block->size;
    }
  for (struct arena_block *block = arena->blocks; block != NULL; block = block->next)
    if (mprotect (block, block->size, PROT_READ) < 0)
      return -errno;
  return 0;
}

void
arena_done (struct arena *arena)
{
  int saved = errno;
  while (arena->blocks != NULL)
    {
      struct arena_block *block = arena->blocks;
      arena->blocks = block->next;
      ASAN_UNPOISON_MEMORY_REGION (block, block->size);
      (void) munmap (block, block->size);
    }
  arena->total = 0;
  errno = saved;
}
