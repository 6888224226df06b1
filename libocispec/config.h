/* config.json as a whole (config.md). */
#ifndef TARE_LIBOCISPEC_CONFIG_H
#define TARE_LIBOCISPEC_CONFIG_H

#include "libocispec/linux.h"
#include "libocispec/process.h"

/* clang-format off */
/* Of the other platforms only this much is read: a value that the spec does not have is refused
 * wherever it stands (config-freebsd.md "Jail"). */
#define OCI_JAIL_SHARINGS(V)               \
  V (OCI_JAIL_SHARING_NEW, "new")          \
  V (OCI_JAIL_SHARING_INHERIT, "inherit")

#define OCI_JAIL_SHARINGS_OFF(V)                       \
  V (OCI_JAIL_SHARING_OFF_NEW, "new")                  \
  V (OCI_JAIL_SHARING_OFF_INHERIT, "inherit")          \
  V (OCI_JAIL_SHARING_OFF_DISABLE, "disable")

OCI_DECLARE_ENUM (oci_jail_sharing, OCI_JAIL_SHARINGS)
OCI_DECLARE_ENUM (oci_jail_sharing_off, OCI_JAIL_SHARINGS_OFF)

#define OCI_JAIL(F, T)                                     \
  F (T, ENUM, "host", host, oci_jail_sharing)              \
  F (T, ENUM, "ip4", ip4, oci_jail_sharing_off)            \
  F (T, ENUM, "ip6", ip6, oci_jail_sharing_off)            \
  F (T, ENUM, "vnet", vnet, oci_jail_sharing)              \
  F (T, ENUM, "sysvmsg", sysvmsg, oci_jail_sharing_off)    \
  F (T, ENUM, "sysvsem", sysvsem, oci_jail_sharing_off)    \
  F (T, ENUM, "sysvshm", sysvshm, oci_jail_sharing_off)    \
  F (T, IGNORED, "parent")                                 \
  F (T, IGNORED, "enforceStatfs")                          \
  F (T, IGNORED, "allow")

#define OCI_FREEBSD(F, T)                      \
  F (T, OBJECT, "jail", jail, oci_jail)        \
  F (T, IGNORED, "devices")

#define OCI_ROOT(F, T)                                     \
  F (T, STRING, "path", path, .required = true)            \
  F (T, BOOL, "readonly", readonly)

#define OCI_MOUNT(F, T)                                                    \
  F (T, STRING, "destination", destination, .required = true)              \
  F (T, STRING, "type", type)                                              \
  F (T, STRING, "source", source)                                          \
  F (T, STRINGS, "options", options)                                       \
  F (T, OBJECTS, "uidMappings", uid_mappings, oci_id_mapping)              \
  F (T, OBJECTS, "gidMappings", gid_mappings, oci_id_mapping)

#define OCI_HOOK(F, T)                                     \
  F (T, STRING, "path", path, .required = true)            \
  F (T, STRINGS, "args", args)                             \
  F (T, STRINGS, "env", env)                               \
  F (T, I64, "timeout", timeout, .min = 1, .max = INT64_MAX)

#define OCI_HOOKS(F, T)                                            \
  F (T, OBJECTS, "prestart", prestart, oci_hook)                   \
  F (T, OBJECTS, "createRuntime", create_runtime, oci_hook)        \
  F (T, OBJECTS, "createContainer", create_container, oci_hook)    \
  F (T, OBJECTS, "startContainer", start_container, oci_hook)      \
  F (T, OBJECTS, "poststart", poststart, oci_hook)                 \
  F (T, OBJECTS, "poststop", poststop, oci_hook)

#define OCI_CONFIG(F, T)                                           \
  F (T, STRING, "ociVersion", oci_version, .required = true)       \
  F (T, OBJECT, "process", process, oci_process)                   \
  F (T, OBJECT, "root", root, oci_root)                            \
  F (T, STRING, "hostname", hostname)                              \
  F (T, STRING, "domainname", domainname)                          \
  F (T, OBJECTS, "mounts", mounts, oci_mount)                      \
  F (T, OBJECT, "hooks", hooks, oci_hooks)                         \
  F (T, STRING_MAP, "annotations", annotations)                    \
  F (T, OBJECT, "linux", linux, oci_linux)                         \
  F (T, OBJECT, "freebsd", freebsd, oci_freebsd)                   \
  F (T, IGNORED, "solaris")                                        \
  F (T, IGNORED, "windows")                                        \
  F (T, IGNORED, "vm")                                             \
  F (T, IGNORED, "zos")

OCI_DECLARE (oci_jail, OCI_JAIL)
OCI_DECLARE (oci_freebsd, OCI_FREEBSD)
OCI_DECLARE (oci_root, OCI_ROOT)
OCI_DECLARE (oci_mount, OCI_MOUNT)
OCI_DECLARE (oci_hook, OCI_HOOK)
OCI_DECLARE (oci_hooks, OCI_HOOKS)
OCI_DECLARE (oci_config, OCI_CONFIG)
/* clang-format on */

#endif
