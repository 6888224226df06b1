/* Private to spec: the options of config.md's mounts, as one table. It feeds the parser, the
 * features document and the manual. */
#ifndef TARE_SPEC_MOUNT_OPTIONS_H
#define TARE_SPEC_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum mount_option_kind
{
  OPTION_SET,           /* MOUNT_ATTR_* on */
  OPTION_CLEAR,         /* MOUNT_ATTR_* off */
  OPTION_RECURSIVE_SET, /* the same for the whole tree */
  OPTION_RECURSIVE_CLEAR,
  OPTION_PROPAGATION, /* MS_* */
  OPTION_RECURSIVE_PROPAGATION,
  OPTION_BIND,
  OPTION_RECURSIVE_BIND,
  OPTION_COPY_UP, /* a tmpfs begins as a copy of what it covers */
  OPTION_REMOUNT,
  OPTION_BIND_FLAG,  /* enum plan_mount_flags, of bind mounts alone */
  OPTION_IDMAP,      /* the same; may have "=uids=...;gids=..." behind its name */
  OPTION_SUPERBLOCK, /* a flag of the file system, by fsconfig under the same name */
  OPTION_NOTHING,    /* says what is so anyway */
  OPTION_NOT_BUILT,  /* known, but not offered yet: refused */
};

struct mount_option
{
  const char *name;
  enum mount_option_kind kind;
  uint64_t value;
};

/* Ended by a NULL name; sorted as the specification's table is. */
extern const struct mount_option mount_options[];

/* The row of name, or NULL: then it goes to the file system as data. */
const struct mount_option *mount_option_find (const char *name);

#endif
