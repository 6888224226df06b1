/* Scope-bound cleanup. Destructors take empty and half-built objects and keep errno. */
#ifndef TARE_BASE_CLEANUP_H
#define TARE_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* fd variables start at -EBADF: -1 would be a valid -EPERM. */
static inline void
close_fd (int *fd)
{
  int saved = errno;
  if (*fd >= 0)
    (void) close (*fd);
  *fd = -EBADF;
  errno = saved;
}

static inline void
free_pointer (void *pointer)
{
  int saved = errno;
  free (*(void **) pointer);
  *(void **) pointer = NULL;
  errno = saved;
}

static inline int
take_fd (int *fd)
{
  int taken = *fd;
  *fd = -EBADF;
  return taken;
}

#define autoclose __attribute__ ((cleanup (close_fd)))
#define autofree  __attribute__ ((cleanup (free_pointer)))

/* auto_(arena) struct arena a = {0};  calls arena_done (&a) at the end of the scope. */
#define auto_(type) __attribute__ ((cleanup (type##_done)))

#define take_ptr(pointer)                                                                          \
  __extension__({                                                                                  \
    __typeof__ (pointer) place_ = (pointer);                                                       \
    __typeof__ (*place_) taken_ = *place_;                                                         \
    *place_ = NULL;                                                                                \
    taken_;                                                                                        \
  })

#define COUNT_OF(array) (sizeof (array) / sizeof *(array))

#endif
