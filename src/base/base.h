/* base: errors, cleanup, memory, text. Knows no kernel facility and nothing of containers. */
#ifndef TARE_BASE_H
#define TARE_BASE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/enum_map.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/ranges.h"
#include "base/str.h"

#endif
