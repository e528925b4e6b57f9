/* lock: at most one process has a database open for writing.
 *
 * The lock is a byte-range lock on DATABASE-lock, an empty sidecar in which the holder's
 * process number stands. The kernel drops it when the holder ends, however it ends: a
 * lock that is held has a living holder. SQLite's own locks last only for a transaction;
 * this one lasts for the whole of a study, so that a run without an end and without a
 * living writer is known to have crashed. */
#ifndef AN_IO_LOCK_H
#define AN_IO_LOCK_H

#include <stdbool.h>

#include "base/err.h"

typedef struct an_lock an_lock;

an_lock *an_lock_take(const char *database); /* NULL after AN_EBUSY naming the holder, AN_EIO */
void an_lock_release(an_lock *lock);         /* removes the sidecar; NULL is allowed */

/* Does a process (this one included) have `database` open for writing? *pid [opt] is its
 * number, 0 where unknown. Takes nothing. */
bool an_lock_held(const char *database, int *pid);

#endif
