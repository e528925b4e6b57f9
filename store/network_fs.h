/* network_fs: may a database be written where this path is? */
#ifndef AN_STORE_NETWORK_FS_H
#define AN_STORE_NETWORK_FS_H

#include "base/err.h"

/* AN_EIO for a folder that is missing or lies on a network file system, where neither
 * locks nor the shared memory of WAL can be relied on; the message says the way out. */
an_code an_network_fs_refuse(const char *path);

#endif
