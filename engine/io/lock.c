/* lock: open the sidecar, lock it, check that it is still the sidecar. */
#include "io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/open_handles.h"
#include "io/file.h"
#include "io/path.h"

/* Open-file locks belong to the opened file, so they also exclude a second opening in the same
 * process. Where the system lacks them, process-wide locks are used. */
#ifdef F_OFD_SETLK
enum { SET_LOCK = F_OFD_SETLK, GET_LOCK = F_OFD_GETLK };
#else
enum { SET_LOCK = F_SETLK, GET_LOCK = F_GETLK };
#endif

struct an_lock {
    int file; /* the opened sidecar */
    char *sidecar;
    bool joined; /* shares the lock with others that join */
};

static char *sidecar_of(const char *path)
{
    size_t size = strlen(path) + sizeof "-lock";
    char *sidecar = an_alloc(size);
    if (sidecar)
        snprintf(sidecar, size, "%s-lock", path);
    return sidecar;
}

static int read_pid(int file)
{
    char text[32] = "";
    ssize_t n = pread(file, text, sizeof text - 1, 0);
    return n > 0 ? atoi(text) : 0;
}

static void write_pid(int file)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)n, 0) != n)
        return; /* the id is for messages only; the lock is held without it */
}

static an_code held_by(int pid, const char *path, const char *advice)
{
    char who[64] = "another process";
    if (pid == (int)getpid())
        snprintf(who, sizeof who, "this process");
    else if (pid > 0)
        snprintf(who, sizeof who, "process %d", pid);
    return an_fail(AN_EBUSY, "%s is locked by %s%s%s", path, who, advice ? "; " : "",
                   advice ? advice : "");
}

/* The locked bytes: all of them, by a process that holds the lock alone; by each of several, the
 * first byte, for reading, and one of its own. */
static struct flock whole(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static struct flock byte_of(int pid)
{
    return (struct flock){
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1 + (off_t)pid, .l_len = 1};
}

static bool set_range(const an_lock *lock, struct flock range)
{
    return fcntl(lock->file, SET_LOCK, &range) == 0;
}

static bool is_busy(void)
{
    return errno == EAGAIN || errno == EACCES;
}

static an_code lock_file(an_lock *lock, const char *path, const char *advice)
{
    const struct flock first = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
    const int own = (int)getpid();
    if (set_range(lock, lock->joined ? first : whole())) {
        if (!lock->joined || set_range(lock, byte_of(own)))
            return AN_OK;
        if (is_busy())
            return an_fail(AN_EBUSY,
                           "%s: a process of another container has joined, with the number %d of "
                           "this one; start this one from there",
                           path, own);
    } else if (is_busy()) {
        return held_by(read_pid(lock->file), path, advice);
    }
    return an_path_refused("lock", lock->sidecar);
}

/* A former holder may have removed the sidecar after we opened it and before we locked it. */
static an_code try_lock(an_lock *lock, const char *path, const char *advice)
{
    for (;;) {
        an_code code = an_file_open(lock->sidecar, AN_FILE_OWN, &lock->file);
        if (code != AN_OK)
            return code;
        code = lock_file(lock, path, advice);
        if (code == AN_OK && an_file_is_at(lock->file, lock->sidecar))
            return AN_OK;
        an_file_close(lock->file);
        lock->file = -1;
        if (code != AN_OK)
            return code;
    }
}

static void discard(an_lock *lock)
{
    an_file_close(lock->file);
    an_free(lock->sidecar);
    an_free(lock);
}

static an_lock *lock_path(const char *path, const char *advice, bool joined)
{
    enum { TRIES = 20, PAUSE_US = 20000 }; /* long enough for a holder that is about to end */
    an_lock *lock = an_calloc(1, sizeof *lock);
    if (!lock)
        return NULL;
    lock->file = -1;
    lock->joined = joined;
    lock->sidecar = sidecar_of(path);
    an_code code = lock->sidecar ? AN_EBUSY : AN_ENOMEM;
    for (int i = 0; i < TRIES && code == AN_EBUSY; i++) {
        if (i > 0)
            usleep(PAUSE_US);
        code = try_lock(lock, path, advice);
    }
    if (code != AN_OK)
        return discard(lock), NULL;
    write_pid(lock->file);
    an_handle_opened(AN_OPEN_LOCK);
    return lock;
}

an_lock *an_lock_take(const char *path, const char *advice)
{
    return lock_path(path, advice, false);
}

an_lock *an_lock_join(const char *path, const char *advice)
{
    return lock_path(path, advice, true);
}

/* The last holder removes the sidecar. If the last two end at the same time, it stays for the next
 * holder. */
void an_lock_release(an_lock *lock)
{
    if (!lock)
        return;
    AN_ASSERT(lock->file >= 0);
    if (set_range(lock, whole()))
        an_path_remove(lock->sidecar);
    discard(lock);
    an_handle_closed(AN_OPEN_LOCK);
}

/* Does a process hold a part of `range`? Then *range is what it holds, and *pid [opt] the id in the
 * sidecar. */
static bool range_held(const char *path, struct flock *range, int *pid)
{
    char *sidecar = sidecar_of(path);
    int file = -1;
    bool held = sidecar && an_path_kind_at(sidecar) == AN_FILE && !an_path_is_link(sidecar) &&
                an_file_open(sidecar, AN_FILE_READ, &file) == AN_OK &&
                fcntl(file, GET_LOCK, range) == 0 && range->l_type != F_UNLCK;
    if (pid)
        *pid = held ? read_pid(file) : 0;
    an_file_close(file);
    an_free(sidecar);
    return held;
}

bool an_lock_held(const char *path, int *pid)
{
    struct flock range = whole();
    return range_held(path, &range, pid);
}

bool an_lock_held_by_user(const char *path)
{
    char *sidecar = sidecar_of(path);
    const bool own = sidecar && an_path_is_users(sidecar);
    an_free(sidecar);
    return own && an_lock_held(path, NULL);
}

bool an_lock_held_by(const char *path, int pid)
{
    if (pid <= 0)
        return false;
    struct flock range = byte_of(pid);
    int alone = 0;
    if (!range_held(path, &range, &alone))
        return false;
    return range.l_len == 1 || alone == pid || alone == 0;
}
