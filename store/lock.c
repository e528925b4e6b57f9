/* lock: take = open the sidecar, lock it, make sure it still is the sidecar. */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

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
    if (path) snprintf(path, size, "%s-lock", database);
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

/* 1: locked; 0: locked a file that the former holder has just removed; −1: failed. */
static int try_lock(an_lock *lock, const char *database)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat opened, named;
    lock->file = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock->file < 0) {
        an_fail(AN_EIO, "cannot lock %s for writing: %s", database, strerror(errno));
        return -1;
    }
    if (fcntl(lock->file, SET_LOCK, &whole) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            held_by(database, read_pid(lock->file));
        else
            an_fail(AN_EIO, "cannot lock %s: %s", lock->path, strerror(errno));
        return -1;
    }
    if (fstat(lock->file, &opened) == 0 && stat(lock->path, &named) == 0 &&
        opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
        return 1;
    close(lock->file);
    lock->file = -1;
    return 0;
}

static void discard(an_lock *lock)
{
    if (lock->file >= 0) close(lock->file);
    an_free(lock->path);
    an_free(lock);
}

an_lock *an_lock_take(const char *database)
{
    an_lock *lock = an_calloc(1, sizeof *lock);
    if (!lock) return NULL;
    lock->file = -1;
    lock->path = sidecar(database);
    if (!lock->path) return discard(lock), NULL;
    int taken;
    while ((taken = try_lock(lock, database)) == 0)
        continue;
    if (taken < 0) return discard(lock), NULL;
    write_pid(lock->file);
    return lock;
}

void an_lock_release(an_lock *lock)
{
    if (!lock) return;
    unlink(lock->path);
    discard(lock);
}

bool an_lock_held(const char *database, int *pid)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = sidecar(database);
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool held = file >= 0 && fcntl(file, GET_LOCK, &whole) == 0 && whole.l_type != F_UNLCK;
    if (pid) *pid = held ? read_pid(file) : 0;
    if (file >= 0) close(file);
    an_free(path);
    return held;
}
