/* network_fs: prevents writing a database on a network file system. */
#ifndef AN_STORE_NETWORK_FS_H
#define AN_STORE_NETWORK_FS_H

#include "base/err.h"

/* AN_EIO if the folder of `path` does not exist or is on a network file system (NFS, SMB, Ceph,
 * Lustre and others): neither locks nor WAL's shared memory are reliable there, and the database
 * could be damaged unless only one process opens it. The message names a remedy. AN_OK for every
 * other file system, and if its type is unknown. */
an_code an_network_fs_check(const char *path);

#endif
