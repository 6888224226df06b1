/* linux.seccomp of config.json (config-linux.md "Seccomp"). */
#ifndef TARE_LIBOCISPEC_SECCOMP_H
#define TARE_LIBOCISPEC_SECCOMP_H

#include "libocispec/table.h"

/* clang-format off */
#define OCI_SECCOMP_ACTIONS(V)                           \
  V (OCI_ACT_KILL, "SCMP_ACT_KILL")                      \
  V (OCI_ACT_KILL_PROCESS, "SCMP_ACT_KILL_PROCESS")      \
  V (OCI_ACT_KILL_THREAD, "SCMP_ACT_KILL_THREAD")        \
  V (OCI_ACT_TRAP, "SCMP_ACT_TRAP")                      \
  V (OCI_ACT_ERRNO, "SCMP_ACT_ERRNO")                    \
  V (OCI_ACT_TRACE, "SCMP_ACT_TRACE")                    \
  V (OCI_ACT_ALLOW, "SCMP_ACT_ALLOW")                    \
  V (OCI_ACT_LOG, "SCMP_ACT_LOG")                        \
  V (OCI_ACT_NOTIFY, "SCMP_ACT_NOTIFY")

#define OCI_SECCOMP_ARCHES(V)                            \
  V (OCI_ARCH_X86, "SCMP_ARCH_X86")                      \
  V (OCI_ARCH_X86_64, "SCMP_ARCH_X86_64")                \
  V (OCI_ARCH_X32, "SCMP_ARCH_X32")                      \
  V (OCI_ARCH_ARM, "SCMP_ARCH_ARM")                      \
  V (OCI_ARCH_AARCH64, "SCMP_ARCH_AARCH64")              \
  V (OCI_ARCH_LOONGARCH64, "SCMP_ARCH_LOONGARCH64")      \
  V (OCI_ARCH_M68K, "SCMP_ARCH_M68K")                    \
  V (OCI_ARCH_MIPS, "SCMP_ARCH_MIPS")                    \
  V (OCI_ARCH_MIPS64, "SCMP_ARCH_MIPS64")                \
  V (OCI_ARCH_MIPS64N32, "SCMP_ARCH_MIPS64N32")          \
  V (OCI_ARCH_MIPSEL, "SCMP_ARCH_MIPSEL")                \
  V (OCI_ARCH_MIPSEL64, "SCMP_ARCH_MIPSEL64")            \
  V (OCI_ARCH_MIPSEL64N32, "SCMP_ARCH_MIPSEL64N32")      \
  V (OCI_ARCH_PPC, "SCMP_ARCH_PPC")                      \
  V (OCI_ARCH_PPC64, "SCMP_ARCH_PPC64")                  \
  V (OCI_ARCH_PPC64LE, "SCMP_ARCH_PPC64LE")              \
  V (OCI_ARCH_S390, "SCMP_ARCH_S390")                    \
  V (OCI_ARCH_S390X, "SCMP_ARCH_S390X")                  \
  V (OCI_ARCH_SH, "SCMP_ARCH_SH")                        \
  V (OCI_ARCH_SHEB, "SCMP_ARCH_SHEB")                    \
  V (OCI_ARCH_PARISC, "SCMP_ARCH_PARISC")                \
  V (OCI_ARCH_PARISC64, "SCMP_ARCH_PARISC64")            \
  V (OCI_ARCH_RISCV64, "SCMP_ARCH_RISCV64")

#define OCI_SECCOMP_FLAGS(V)                                                       \
  V (OCI_FILTER_FLAG_TSYNC, "SECCOMP_FILTER_FLAG_TSYNC")                           \
  V (OCI_FILTER_FLAG_LOG, "SECCOMP_FILTER_FLAG_LOG")                               \
  V (OCI_FILTER_FLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW")                 \
  V (OCI_FILTER_FLAG_WAIT_KILLABLE_RECV, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")

#define OCI_SECCOMP_OPERATORS(V)                   \
  V (OCI_CMP_NE, "SCMP_CMP_NE")                    \
  V (OCI_CMP_LT, "SCMP_CMP_LT")                    \
  V (OCI_CMP_LE, "SCMP_CMP_LE")                    \
  V (OCI_CMP_EQ, "SCMP_CMP_EQ")                    \
  V (OCI_CMP_GE, "SCMP_CMP_GE")                    \
  V (OCI_CMP_GT, "SCMP_CMP_GT")                    \
  V (OCI_CMP_MASKED_EQ, "SCMP_CMP_MASKED_EQ")

OCI_DECLARE_ENUM (oci_seccomp_action, OCI_SECCOMP_ACTIONS)
OCI_DECLARE_ENUM (oci_seccomp_arch, OCI_SECCOMP_ARCHES)
OCI_DECLARE_ENUM (oci_seccomp_flag, OCI_SECCOMP_FLAGS)
OCI_DECLARE_ENUM (oci_seccomp_operator, OCI_SECCOMP_OPERATORS)

#define OCI_SYSCALL_ARG(F, T)                                              \
  F (T, U32, "index", index, .required = true)                             \
  F (T, U64, "value", value, .required = true)                             \
  F (T, U64, "valueTwo", value_two)                                        \
  F (T, ENUM, "op", op, oci_seccomp_operator, .required = true)

#define OCI_SYSCALL(F, T)                                                  \
  F (T, STRINGS, "names", names, .required = true, .min_items = 1)         \
  F (T, ENUM, "action", action, oci_seccomp_action, .required = true)      \
  F (T, U32, "errnoRet", errno_ret)                                        \
  F (T, OBJECTS, "args", args, oci_syscall_arg)

#define OCI_SECCOMP(F, T)                                                  \
  F (T, ENUM, "defaultAction", default_action, oci_seccomp_action, .required = true) \
  F (T, U32, "defaultErrnoRet", default_errno_ret)                         \
  F (T, ENUMS, "architectures", architectures, oci_seccomp_arch)           \
  F (T, ENUMS, "flags", flags, oci_seccomp_flag)                           \
  F (T, STRING, "listenerPath", listener_path)                             \
  F (T, STRING, "listenerMetadata", listener_metadata)                     \
  F (T, OBJECTS, "syscalls", syscalls, oci_syscall)

OCI_DECLARE (oci_syscall_arg, OCI_SYSCALL_ARG)
OCI_DECLARE (oci_syscall, OCI_SYSCALL)
OCI_DECLARE (oci_seccomp, OCI_SECCOMP)
/* clang-format on */

#endif
