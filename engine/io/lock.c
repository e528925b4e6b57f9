/* lock: take = open the sidecar, lock it, make sure it still is the sidecar. */
#include "io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory/mem.h"
#include "base/open_handles.h"

/* Open-file locks belong to the opened file, so they also hold between two openings in
 * one process. Where the system lacks them, the process-wide kind has to do. */
#ifdef F_OFD_SETLK
enum { SET_LOCK = F_OFD_SETLK, GET_LOCK = F_OFD_GETLK };
#else
enum { SET_LOCK = F_SETLK, GET_LOCK = F_GETLK };
#endif

struct an_lock {
    int file;
    char *path;
};

static char *sidecar(const char *database)
{
    size_t size = strlen(database) + sizeof "-lock";
    char *path = an_alloc(size);
    if (path)
        snprintf(path, size, "%s-lock", database);
    return path;
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
        return; /* the number only serves messages; the lock holds without it */
}

static an_code held_by(const char *database, int pid)
{
    char who[64] = "another process";
    if (pid == (int)getpid())
        snprintf(who, sizeof who, "this process");
    else if (pid > 0)
        snprintf(who, sizeof who, "process %d", pid);
    return an_fail(AN_EBUSY,
                   "%s is held for writing by %s; wait for it, or write to another file "
                   "(--db PATH); reading works meanwhile",
                   database, who);
}

static an_code lock_file(an_lock *lock, const char *database)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(lock->file, SET_LOCK, &whole) == 0)
        return AN_OK;
    if (errno == EAGAIN || errno == EACCES)
        return held_by(database, read_pid(lock->file));
    return an_fail(AN_EIO, "cannot lock %s: %s", lock->path, strerror(errno));
}

/* A former holder may have removed the sidecar between our opening and our locking it. */
static bool still_there(const an_lock *lock)
{
    struct stat opened, named;
    return fstat(lock->file, &opened) == 0 && stat(lock->path, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static an_code try_lock(an_lock *lock, const char *database)
{
    for (;;) {
        lock->file = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (lock->file < 0)
            return an_fail(AN_EIO, "cannot lock %s for writing: %s", database, strerror(errno));
        an_code code = lock_file(lock, database);
        if (code == AN_OK && still_there(lock))
            return AN_OK;
        close(lock->file);
        lock->file = -1;
        if (code != AN_OK)
            return code;
    }
}

static void discard(an_lock *lock)
{
    if (lock->file >= 0)
        close(lock->file);
    an_free(lock->path);
    an_free(lock);
}

an_lock *an_lock_take(const char *database)
{
    enum { TRIES = 20, PAUSE_US = 20000 }; /* a writer that is about to end is waited for */
    an_lock *lock = an_calloc(1, sizeof *lock);
    if (!lock)
        return NULL;
    lock->file = -1;
    lock->path = sidecar(database);
    an_code code = lock->path ? AN_EBUSY : AN_ENOMEM;
    for (int i = 0; i < TRIES && code == AN_EBUSY; i++) {
        if (i > 0)
            usleep(PAUSE_US);
        code = try_lock(lock, database);
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
    unlink(lock->path);
    discard(lock);
    an_handle_closed(AN_OPEN_LOCK);
}

bool an_lock_held(const char *database, int *pid)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = sidecar(database);
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool held = file >= 0 && fcntl(file, GET_LOCK, &whole) == 0 && whole.l_type != F_UNLCK;
    if (pid)
        *pid = held ? read_pid(file) : 0;
    if (file >= 0)
        close(file);
    an_free(path);
    return held;
}
