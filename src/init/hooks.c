#include "init/init.h"

int
step_create_hooks (struct init *init, struct tare_error *error)
{
  (void) init;
  return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP, "create_hooks: not offered");
}

int
step_start_hooks (struct init *init, struct tare_error *error)
{
  (void) init;
  return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP, "start_hooks: not offered");
}
