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

/* Open-file locks belong to the opened file, so they also hold between two openings in
 * one process. Where the system lacks them, the process-wide kind serves. */
#ifdef F_OFD_SETLK
enum { SET_LOCK = F_OFD_SETLK, GET_LOCK = F_OFD_GETLK };
#else
enum { SET_LOCK = F_SETLK, GET_LOCK = F_GETLK };
#endif

struct an_lock {
    int file; /* the opened sidecar */
    char *sidecar;
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
        return; /* the number is for messages only; the lock is held without it */
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

static an_code lock_file(an_lock *lock, const char *path, const char *advice)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(lock->file, SET_LOCK, &whole) == 0)
        return AN_OK;
    if (errno == EAGAIN || errno == EACCES)
        return held_by(read_pid(lock->file), path, advice);
    return an_path_refused("lock", lock->sidecar);
}

/* A former holder may have removed the sidecar between our opening and our locking it. */
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

an_lock *an_lock_take(const char *path, const char *advice)
{
    enum { TRIES = 20, PAUSE_US = 20000 }; /* long enough for a holder that is about to end */
    an_lock *lock = an_calloc(1, sizeof *lock);
    if (!lock)
        return NULL;
    lock->file = -1;
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

void an_lock_release(an_lock *lock)
{
    if (!lock)
        return;
    AN_ASSERT(lock->file >= 0);
    an_path_remove(lock->sidecar);
    discard(lock);
    an_handle_closed(AN_OPEN_LOCK);
}

bool an_lock_held(const char *path, int *pid)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *sidecar = sidecar_of(path);
    int file = -1;
    bool held = sidecar && an_path_kind_at(sidecar) == AN_FILE && !an_path_is_link(sidecar) &&
                an_file_open(sidecar, AN_FILE_READ, &file) == AN_OK &&
                fcntl(file, GET_LOCK, &whole) == 0 && whole.l_type != F_UNLCK;
    if (pid)
        *pid = held ? read_pid(file) : 0;
    an_file_close(file);
    an_free(sidecar);
    return held;
}
