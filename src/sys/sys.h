/* sys: one thin file per kernel facility. -errno only, no policy, no words: the layer that knows
 * the object words the message. */
#ifndef TARE_SYS_H
#define TARE_SYS_H

#include "sys/copy.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/netlink.h"
#include "sys/process.h"
#include "sys/schedule.h"
#include "sys/socket.h"
#include "sys/status.h"

#endif
