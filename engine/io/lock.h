/* lock: at most one process at a time does what the lock of a path guards: write a database, train
 * a shared first stage.
 *
 * The lock is a byte-range lock on PATH-lock, an empty sidecar that holds the process number of the
 * holder. The kernel drops it when the holder ends, in whatever way: a lock that is held has a
 * living holder. PATH itself need not exist. SQLite's own locks last for one transaction; this one
 * lasts for a whole study, so that a run without an end and without a living writer is known to
 * have crashed. */
#ifndef AN_IO_LOCK_H
#define AN_IO_LOCK_H

#include <stdbool.h>

#include "base/err.h"

typedef struct an_lock an_lock;

/* Tries for half a second. NULL after AN_EBUSY, "PATH is locked by process N; ADVICE", or after
 * AN_EIO, AN_ENOTFOUND (no such folder). `advice` [opt] is the way out for what the lock guards. */
an_lock *an_lock_take(const char *path, const char *advice);
void an_lock_release(an_lock *lock); /* removes the sidecar; NULL is allowed */

/* Does a process (this one included) hold the lock of `path`? *pid [opt] is its number, 0 where it
 * is unknown. Takes nothing. */
bool an_lock_held(const char *path, int *pid);

#endif
