#include "init/init.h"

int
step_terminal (struct init *init, struct tare_error *error)
{
  (void) init;
  return fail_kind (error, TARE_ERROR_UNSUPPORTED, EOPNOTSUPP, "terminal: not offered");
}
