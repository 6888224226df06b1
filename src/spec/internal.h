/* Private to spec: the stages of load and of making a plan. */
#ifndef TARE_SPEC_INTERNAL_H
#define TARE_SPEC_INTERNAL_H

#include "spec/spec.h"

/* Stages of spec_load; they fill spec. lower needs what the reader checked, check what lower made.
 */
int spec_lower (struct spec *spec, const struct log *log, struct tare_error *error);
/* The part of spec_lower that is about the process. */
int spec_lower_process (struct spec *spec, const struct log *log, struct tare_error *error);
int spec_lower_mounts (struct spec *spec, const struct log *log, struct tare_error *error);
/* The parts of a mount that have files of their own. idmap_option: one option as it stands. */
void spec_lower_idmap_option (struct spec_mount *mount, const char *text);
int spec_lower_idmap (struct spec *spec, struct spec_mount *mount, const struct oci_mount *from,
                      struct tare_error *error);
int spec_lower_overlay (struct spec *spec, struct spec_mount *mount, struct tare_error *error);
int spec_check (const struct spec *spec, struct tare_error *error);

/* "Wrong config": code EINVAL, kind CONFIG. */
#define config_error(error, ...) fail_kind (error, TARE_ERROR_CONFIG, EINVAL, __VA_ARGS__)

int spec_check_id_mappings (const struct spec *spec, struct tare_error *error);
/* place: "linux.uidMappings". */
int spec_check_mappings (const char *place, const struct oci_id_mapping *mappings, size_t count,
                         struct tare_error *error);
int spec_check_net_devices (const struct spec *spec, struct tare_error *error);
/* After spec_lower_mounts: linux.mountLabel, as an option of each that takes one. */
int spec_label_mounts (struct spec *spec, struct tare_error *error);
/* linux.mountLabel; NULL where there is none. */
const char *spec_mount_label (const struct spec *spec);
int spec_check_rdt (const struct spec *spec, struct tare_error *error);
int spec_check_sysctl (const struct spec *spec, struct tare_error *error);
/* Turns a key of linux.sysctl into a path below /proc/sys, in place. */
void spec_sysctl_path (char *key);

enum
{
  SPEC_SYSCALL_ARGUMENTS = 6,
};
/* seccomp_lower.c */
int spec_lower_seccomp (struct spec *spec, struct tare_error *error);
/* SECCOMP_FILTER_FLAG_* of an enum of linux.seccomp.flags. */
uint64_t spec_seccomp_flag (int flag);

/* schedule.c */
int spec_check_schedule (const struct spec *spec, struct tare_error *error);
void spec_plan_schedule (const struct spec *spec, const struct spec_facts *facts,
                         struct plan_builder *builder, struct plan *root);
int spec_check_seccomp (const struct spec *spec, struct tare_error *error);

/* Parts of spec_plan: each appends its arrays and fills its members of root. */
int spec_plan_filesystem (const struct spec *spec, const struct spec_facts *facts,
                          struct plan_builder *builder, struct plan *root,
                          struct tare_error *error);
/* below.c. For each of spec's mounts: is anything made below it after it? Then it cannot be
 * read-only yet. The caller frees; NULL: no memory. */
bool *spec_find_below (const struct spec *spec);
/* environment.c */
int spec_plan_environment (const struct spec *spec, const struct spec_facts *facts,
                           struct plan_builder *builder, struct plan *root);
/* hooks.c. After the process, whose environment a hook may take. */
int spec_plan_hooks (const struct spec *spec, const struct spec_facts *facts,
                     struct plan_builder *builder, struct plan *root);
int spec_check_hooks (const struct spec *spec, struct tare_error *error);

#endif
