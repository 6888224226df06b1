/* The tables and enumerations that the headers declare: here each declaration is a definition too,
 * so that none can be forgotten, nor differ. Nothing else may be here. */
#include "libocispec/table.h"

#undef OCI_DECLARE
#undef OCI_DECLARE_KEYED
#undef OCI_DECLARE_ENUM
#define OCI_DECLARE(tag, LIST)       OCI_STRUCT (tag, LIST) OCI_DEFINE (tag, LIST)
#define OCI_DECLARE_KEYED(tag, LIST) OCI_STRUCT (tag, LIST, const char *key;) OCI_DEFINE (tag, LIST)
#define OCI_DECLARE_ENUM(tag, LIST)  OCI_ENUM (tag, LIST) OCI_DEFINE_ENUM (tag, LIST)

#include "libocispec/ocispec.h"
