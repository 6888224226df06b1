/* Scheduler and I/O priority of a process, out of its plan. Either program may do it. */
#ifndef TARE_PLAN_SCHEDULE_H
#define TARE_PLAN_SCHEDULE_H

#include "plan/plan.h"

/* pid leads its process group; 0: the caller, and its group. */
int plan_apply_schedule (const struct plan *plan, pid_t pid, struct tare_error *error);

#endif
