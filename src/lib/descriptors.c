/* The caller's descriptors that a process of a container gets: 0, 1 and 2, and those it is to keep.
 * Looks at them before anything of ours is open, for ours must not be taken for the caller's.
 */
#include "lib/lib.h"

#include "sys/file.h"

enum
{
  STANDARD = 3,
};

void
lib_standard_done (struct lib_standard *standard)
{
  for (int fd = 0; fd < STANDARD; fd++)
    if (standard->filled[fd])
      (void) close (fd);
}

/* What is opened next would get the number of one that is closed, and be the container's. */
int
lib_fill_standard (struct lib_standard *standard, struct tare_error *error)
{
  for (int fd = 0; fd < STANDARD; fd++)
    {
      if (fcntl (fd, F_GETFD) >= 0)
        continue;
      autoclose int null = sys_open ("/dev/null", O_RDWR, 0);
      if (null != fd)
        return fail (error, null < 0 ? null : -EBADF, "descriptor %d is closed: fill it", fd);
      standard->filled[take_fd (&null)] = true;
    }
  return 0;
}

int
lib_check_stdio (const int stdio[3], struct tare_error *error)
{
  for (int i = 0; i < STANDARD; i++)
    if (stdio[i] < -1 || (stdio[i] >= 0 && fcntl (stdio[i], F_GETFD) < 0))
      return fail_kind (error, TARE_ERROR_USAGE, -EBADF, "stdio[%d]: descriptor %d is not open", i,
                        stdio[i]);
  return 0;
}

/* What the library and its like open is close-on-exec: a descriptor that is not is the caller's,
 * and meant to be handed on. */
int
lib_check_preserved (uint32_t listen_fds, uint32_t preserve_fds, struct tare_error *error)
{
  uint32_t count = listen_fds > UINT32_MAX - preserve_fds ? UINT32_MAX : listen_fds + preserve_fds;
  for (uint32_t i = 0; i < count; i++)
    {
      int flags = i < INT32_MAX - STANDARD ? fcntl (STANDARD + (int) i, F_GETFD) : -1;
      if (flags < 0 || (flags & FD_CLOEXEC) != 0)
        return fail_kind (error, TARE_ERROR_USAGE, -EBADF,
                          "unable to stat preserved-fd %u (of %u): descriptor %u is not open", i,
                          count, i + STANDARD);
    }
  return 0;
}
