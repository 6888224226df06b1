#include "init/init.h"

int
step_join_container (struct init *init, struct tare_error *error)
{
  (void) init;
  return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP, "join_container: not offered");
}
