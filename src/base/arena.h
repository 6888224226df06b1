/* An arena: everything that lives as long as one config. Allocation is a bump of a pointer;
 * freeing is all at once. arena_freeze makes it read-only (mprotect): one immutable config.
 * Memory comes from mmap, zeroed.
 */
#ifndef TARE_BASE_ARENA_H
#define TARE_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena
{
  struct arena_block *blocks; /* newest first */
  size_t total;               /* bytes handed out */
  size_t limit;               /* refuse to hand out more than this; 0: no limit */
};

/* Zeroed memory aligned for any object, or NULL (ENOMEM, or the limit). size 0 gives a valid
 * pointer. */
void *arena_allocate (struct arena *arena, size_t size);
/* A terminated copy; length excludes the NUL. */
char *arena_copy (struct arena *arena, const char *bytes, size_t length);
char *arena_format (struct arena *arena, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
/* From now on a write faults. Returns 0 or -errno. */
int arena_freeze (struct arena *arena);
void arena_done (struct arena *arena);

#endif
