# TARE_APPEND_FLAGS(VARIABLE, FLAG...): adds each FLAG that compiles without a warning.
AC_DEFUN([TARE_APPEND_FLAGS], [
  for flag in $2; do
    saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $flag"
    AC_MSG_CHECKING([whether $CC takes $flag])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
      [AC_MSG_RESULT([yes])
       AS_VAR_APPEND([$1], [" $flag"])],
      [AC_MSG_RESULT([no])])
    CFLAGS=$saved_CFLAGS
  done
])

# TARE_APPEND_LINK_FLAGS(VARIABLE, FLAG...): adds each FLAG that links.
AC_DEFUN([TARE_APPEND_LINK_FLAGS], [
  for flag in $2; do
    saved_LDFLAGS=$LDFLAGS
    LDFLAGS="$LDFLAGS $flag"
    AC_MSG_CHECKING([whether the linker takes $flag])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
      [AC_MSG_RESULT([yes])
       AS_VAR_APPEND([$1], [" $flag"])],
      [AC_MSG_RESULT([no])])
    LDFLAGS=$saved_LDFLAGS
  done
])

# TARE_LIBRARY(NAME, HEADER, FUNCTION, PROTOTYPE-CALL, SHARED, STATIC, PACKAGE)
# Checks that the library links in the way that --with-linkage asks for, and that it links shared
# (for libtare.so). Appends to tare_LIBS (for the program), tare_shared_LIBS (for libtare.so) and
# tare_requires (for tare.pc).
AC_DEFUN([TARE_LIBRARY], [
  AC_CHECK_HEADER([$2], [], [AC_MSG_ERROR([$2 is missing: install $7])])
  saved_LIBS=$LIBS
  saved_LDFLAGS=$LDFLAGS
  LIBS="$5 $LIBS"
  AC_MSG_CHECKING([for $1, shared])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([#include <stddef.h>
#include <$2>], [$4])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([$1 does not link: install $7])])
  LIBS=$saved_LIBS
  AS_IF([test "$tare_linkage" = shared],
    [AS_VAR_APPEND([tare_LIBS], [" $5"])],
    [LIBS="$6 $LIBS"
     LDFLAGS="$LDFLAGS $tare_linkage_flag"
     AC_MSG_CHECKING([for $1, static])
     AC_LINK_IFELSE([AC_LANG_PROGRAM([#include <stddef.h>
#include <$2>], [$4])],
       [AC_MSG_RESULT([yes])],
       [AC_MSG_RESULT([no])
        AC_MSG_ERROR([$1 does not link statically: install its static library ($7), or use --with-linkage=shared])])
     AS_VAR_APPEND([tare_LIBS], [" $6"])
     LIBS=$saved_LIBS
     LDFLAGS=$saved_LDFLAGS])
  AS_VAR_APPEND([tare_shared_LIBS], [" $5"])
])

# TARE_MUSL: finds how to link a static-pie program with musl. Sets INIT_CC, INIT_CPPFLAGS,
# INIT_CRT_BEGIN, INIT_CRT_END, INIT_LINK and init_libc. Without musl, glibc is used, and says so.
#
# Debian's musl-gcc is a wrapper whose specs know -static and nothing of -static-pie: it then links
# a dynamic program. rcrt1.o, the start file that relocates itself, is there all the same, so it
# is named by hand.
AC_DEFUN([TARE_MUSL], [
  init_libc=
  INIT_CPPFLAGS=
  INIT_CRT_BEGIN=
  INIT_CRT_END=
  INIT_LINK=-static-pie
  AS_IF([test "x$with_musl_gcc" = xno], [],
    [test "x$with_musl_gcc" = x || test "x$with_musl_gcc" = xyes],
    [AC_CHECK_PROGS([MUSL_GCC], [musl-gcc])],
    [MUSL_GCC=$with_musl_gcc])
  AS_IF([test "x$MUSL_GCC" != x], [
    AC_MSG_CHECKING([how $MUSL_GCC links a static-pie program])
    cat >conftest.c <<'END'
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
int main (void) { return puts ("musl") < 0; }
END
    kernel=/usr/include
    multiarch=/usr/include/`$CC -print-multiarch 2>/dev/null`
    for idirafter in '' "-idirafter $kernel" "-idirafter $kernel -idirafter $multiarch"; do
      AS_IF([$MUSL_GCC $idirafter -fPIE -c conftest.c -o conftest.o >&AS_MESSAGE_LOG_FD 2>&1],
        [INIT_CPPFLAGS=$idirafter; init_libc=musl; break])
    done
    musl_lib=`$MUSL_GCC -\#\#\# conftest.o 2>&1 | tr ' ' '\n' |
      sed -n 's,^"*\(/.*\)/Scrt1\.o"*$,\1,p'`
    AS_IF([test "x$init_libc" = x],
        [AC_MSG_RESULT([it does not compile with the kernel's headers])],
      [$MUSL_GCC -static-pie conftest.o -o conftest >&AS_MESSAGE_LOG_FD 2>&1 &&
       ! readelf -ld conftest | grep -E 'INTERP|NEEDED' >&AS_MESSAGE_LOG_FD],
        [AC_MSG_RESULT([-static-pie])],
      [INIT_LINK='-nostartfiles -static -Wl,-pie,--no-dynamic-linker,-z,text'
       INIT_CRT_BEGIN="$musl_lib/rcrt1.o $musl_lib/crti.o"
       INIT_CRT_END="$musl_lib/crtn.o"
       $MUSL_GCC $INIT_LINK $INIT_CRT_BEGIN conftest.o $INIT_CRT_END -o conftest \
         >&AS_MESSAGE_LOG_FD 2>&1 &&
       ! readelf -ld conftest | grep -E 'INTERP|NEEDED' >&AS_MESSAGE_LOG_FD],
        [AC_MSG_RESULT([with $musl_lib/rcrt1.o])],
      [AC_MSG_RESULT([it cannot])
       init_libc=])
    rm -f conftest conftest.*
    AS_IF([test "x$init_libc" = x && test "x$with_musl_gcc" != x],
      [AC_MSG_ERROR([$MUSL_GCC does not serve])])
  ])
  AS_IF([test "x$init_libc" = xmusl], [INIT_CC=$MUSL_GCC],
    [init_libc=glibc
     INIT_CC=$CC
     INIT_CPPFLAGS=
     INIT_CRT_BEGIN=
     INIT_CRT_END=
     INIT_LINK=-static-pie
     AS_IF([test "x$with_musl_gcc" != xno],
       [AC_MSG_NOTICE([no musl: tare-init is built with glibc and is some 20 times larger; install musl-tools])])])
  AC_SUBST([INIT_CC])
  AC_SUBST([INIT_CPPFLAGS])
  AC_SUBST([INIT_CRT_BEGIN])
  AC_SUBST([INIT_CRT_END])
  AC_SUBST([INIT_LINK])
])

# TARE_LINK_WITH_MUSL: whether tare itself can be built with musl and the static libraries that are
# here: those call little of a C library, and nothing that musl lacks but what src/musl has. A
# program of glibc begins with some 50 CPUID instructions, each of which leaves a virtual machine.
# Where tare_linkage is "any" or "musl": sets it, and tare_LIBS.
AC_DEFUN([TARE_LINK_WITH_MUSL], [
  AS_CASE([$tare_linkage], [any | musl], [
    AC_MSG_CHECKING([whether tare links with musl])
    musl_LIBS=
    for library in `echo "$tare_LIBS" | sed 's/-l//g'`; do
      musl_LIBS="$musl_LIBS `$CC -print-file-name=lib$library.a`"
    done
    cat confdefs.h - >conftest.c <<'END'
#include <yajl/yajl_parse.h>
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif
#ifdef HAVE_CAP
#include <sys/capability.h>
#endif
int
main (void)
{
  yajl_handle handle = yajl_alloc (NULL, NULL, NULL);
  int good = handle != NULL && yajl_parse (handle, (const unsigned char *) "[[1.5]]", 5) == yajl_status_ok;
#ifdef HAVE_SECCOMP
  good = good && seccomp_syscall_resolve_name ("read") >= 0;
#endif
#ifdef HAVE_CAP
  cap_value_t value;
  good = good && cap_from_name ("cap_kill", &value) == 0 && value == CAP_KILL;
#endif
  return !good;
}
END
    AS_IF([test "x$init_libc" = xmusl &&
           $MUSL_GCC $INIT_CPPFLAGS $CPPFLAGS $CFLAGS $HARDEN_CFLAGS -fPIE -c conftest.c -o conftest.o \
             >&AS_MESSAGE_LOG_FD 2>&1 &&
           $MUSL_GCC $INIT_CPPFLAGS $CPPFLAGS $CFLAGS $HARDEN_CFLAGS -fPIE \
             -c "$srcdir/src/musl/fortify.c" -o conftest-fortify.o >&AS_MESSAGE_LOG_FD 2>&1 &&
           $MUSL_GCC $INIT_LINK $LINK_FLAGS $LDFLAGS $INIT_CRT_BEGIN conftest.o conftest-fortify.o $musl_LIBS \
             $INIT_CRT_END -o conftest >&AS_MESSAGE_LOG_FD 2>&1 &&
           { test "$cross_compiling" = yes || ./conftest; }],
        [AC_MSG_RESULT([yes])
         tare_linkage=musl
         tare_LIBS=$musl_LIBS],
      [test "$tare_linkage" = musl],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR([--with-linkage=musl: see config.log])],
      [AC_MSG_RESULT([no])
       tare_linkage=static-pie])
    rm -f conftest conftest.* conftest-fortify.o
  ])
])
