/* place: may a database be written where this path is? */
#ifndef AN_STORE_PLACE_H
#define AN_STORE_PLACE_H

#include "base/err.h"

/* AN_EIO for a folder that is missing or lies on a network file system, where neither
 * locks nor the shared memory of WAL can be relied on; the message says the way out. */
an_code an_place_for_writing(const char *path);

#endif
