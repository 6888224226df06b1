/* Entering a container that is there: exec. The pidfd of its init stands for all its namespaces,
 * which the kernel joins in one call, all or none (setns(2)). The pid namespace is entered by the
 * fork that follows, so until then nobody in the container can so much as see us.
 */
#include "init/init.h"

/* A container that was made with chroot has its root not at the top of its mount namespace. The
 * descriptor is the host side's: it leads to the root of the very process whose namespaces these
 * are. */
static int
enter_root (struct init *init, struct tare_error *error)
{
  int r = sys_fchdir (init->joins[EXEC_JOIN_ROOT]);
  if (r >= 0)
    r = sys_chroot (".");
  close_fd (&init->joins[EXEC_JOIN_ROOT]);
  return r < 0 ? fail (error, r, "enter the root of the container") : 0;
}

int
step_join_container (struct init *init, struct tare_error *error)
{
  int namespaces = (int) init->plan->container_namespaces;
  int r = namespaces != 0 ? sys_setns (init->joins[EXEC_JOIN_PIDFD], namespaces) : 0;
  if (r == -ESRCH)
    return fail_kind (error, TARE_ERROR_STATUS, r, "cannot exec in a stopped container");
  if (r < 0)
    return fail (error, r, "join the namespaces of the container (0x%x)", (unsigned) namespaces);
  close_fd (&init->joins[EXEC_JOIN_PIDFD]);
  r = init_undump (error); /* a joined user namespace brought new credentials */
  if (r >= 0 && init_flag (init, PLAN_CHROOT))
    r = enter_root (init, error);
  if (r < 0)
    return r;
  init->root = sys_open ("/", O_PATH | O_DIRECTORY, 0);
  return init->root < 0 ? fail (error, init->root, "open the root of the container") : 0;
}
