/* The names of tare-init's steps, for both programs. */
#include "plan/steps.h"

#define INIT_STEP_NAME(name) #name,
static const char *const names[] = { INIT_STEPS (INIT_STEP_NAME) };

const char *
init_step_name (uint32_t step)
{
  return step >= 1 && step <= INIT_STEP_COUNT ? names[step - 1] : "start-up";
}
