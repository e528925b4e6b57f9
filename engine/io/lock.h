/* lock: at most one process at a time does what the lock of a path guards: write a database, train
 * a shared first stage.
 *
 * The lock is a byte-range lock on PATH-lock, a sidecar file that contains the holder's process id.
 * The kernel releases the lock when the holder exits, for whatever reason, so the holder of a lock
 * is always a running process. PATH itself need not exist. SQLite's own locks last for one
 * transaction; this one lasts for a whole study: a run without an end in the database whose writer
 * is not running has crashed. */
#ifndef AN_IO_LOCK_H
#define AN_IO_LOCK_H

#include <stdbool.h>

#include "base/err.h"

typedef struct an_lock an_lock;

/* Tries for half a second. NULL after AN_EBUSY, "PATH is locked by process N; ADVICE", or after
 * AN_EIO, AN_ENOTFOUND (no such folder). `advice` [opt] states what the user can do. */
an_lock *an_lock_take(const char *path, const char *advice);
/* The same, but the lock is shared with other processes that join: AN_EBUSY only if a process has
 * taken the lock alone. The kernel then records each by its process id: see an_lock_held_by(). */
an_lock *an_lock_join(const char *path, const char *advice);
void an_lock_release(an_lock *lock); /* the last holder removes the sidecar; NULL is allowed */

/* Does a process (this one included) hold the lock of `path`? *pid [opt] is its id, 0 if unknown.
 * Takes no lock. */
bool an_lock_held(const char *path, int *pid);

/* The same, but also requires that this user owns the sidecar: another user who holds the lock may
 * have written anything. */
bool an_lock_held_by_user(const char *path);

/* Does process `pid` hold the lock of `path`, alone or joined? The kernel decides, not a clock. A
 * sole holder whose id is unknown counts as `pid`. */
bool an_lock_held_by(const char *path, int pid);

#endif
