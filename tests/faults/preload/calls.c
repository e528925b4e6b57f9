/* calls: replaces the C library's functions that change files, for the program and for the
 * libraries that it loads: the plan (plan.h) decides on each call, and record.h records it.
 *
 * Opening a file to read counts too: it fails when descriptors run out. What the C library writes
 * for itself, the buffers of stdio, does not pass here: standard output has its own tests. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan.h"
#include "record.h"

/* The C library's own function of this name. */
#define NEXT(f)                                                                                    \
    ({                                                                                             \
        static void *known;                                                                        \
        if (!known)                                                                                \
            known = dlsym(RTLD_NEXT, #f);                                                          \
        (__typeof__(&f))known;                                                                     \
    })

/* Performs `call` as the plan has it and returns its result from the function around; `record` runs
 * after a success. */
#define PERFORM(name, path, call, failure, record)                                                 \
    do {                                                                                           \
        plan_kind kind_ = (path) ? plan_meet(name, path) : PLAN_PASS;                              \
        if (kind_ == PLAN_FAIL)                                                                    \
            return failure;                                                                        \
        __typeof__(call) result_ = call;                                                           \
        if (kind_ == PLAN_DIE_AFTER)                                                               \
            plan_die();                                                                            \
        if ((path) && result_ != failure) {                                                        \
            record;                                                                                \
        }                                                                                          \
        return result_;                                                                            \
    } while (0)

/* ── opening ────────────────────────────────────────────────────────────────── */

static const char *name_of_open(int flags)
{
    return flags & O_CREAT ? "create" : (flags & O_ACCMODE) == O_RDONLY ? "open" : "update";
}

static int open_next(const char *path, int flags, mode_t mode)
{
    return NEXT(open)(path, flags, mode);
}

static int open_file(const char *path, int flags, mode_t mode)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path(path, buffer);
    const bool writes = flags & (O_CREAT | O_TRUNC);
    PERFORM(name_of_open(flags), at, open_next(path, flags, mode), -1,
            if (writes) record_open(at, flags));
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                  \
        va_end(rest);                                                                              \
        return open_file(path, flags, mode);                                                       \
    }
OPEN(open)
OPEN(open64)

int __open_2(const char *path, int flags)
{
    return open_file(path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_file(path, flags, 0);
}

/* Lua's io.open. */
FILE *fopen64(const char *path, const char *mode)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path(path, buffer);
    PERFORM(mode[0] == 'r' ? "open" : "create", at, NEXT(fopen64)(path, mode), NULL, );
}

FILE *fopen(const char *path, const char *mode)
{
    return fopen64(path, mode);
}

int mkdir(const char *path, mode_t mode)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path(path, buffer);
    PERFORM("mkdir", at, NEXT(mkdir)(path, mode), -1, record_names(RECORD_MKDIR, at, NULL));
}

/* ── content ────────────────────────────────────────────────────────────────── */

ssize_t write(int file, const void *data, size_t bytes)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path_of_file(file, buffer);
    plan_kind kind = at ? plan_meet("write", at) : PLAN_PASS;
    if (kind == PLAN_FAIL)
        return -1;
    if (kind == PLAN_LOST)
        return (ssize_t)bytes;
    ssize_t n = NEXT(write)(file, data, kind == PLAN_SHORT && bytes > 1 ? bytes / 2 : bytes);
    if (kind == PLAN_DIE_AFTER)
        plan_die();
    if (at && n > 0)
        record_write(at, data, (size_t)n, lseek(file, 0, SEEK_CUR) - n);
    return n;
}

ssize_t pwrite(int file, const void *data, size_t bytes, off_t offset)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path_of_file(file, buffer);
    plan_kind kind = at ? plan_meet("pwrite", at) : PLAN_PASS;
    if (kind == PLAN_FAIL)
        return -1;
    if (kind == PLAN_LOST)
        return (ssize_t)bytes;
    const size_t size = kind == PLAN_SHORT && bytes > 1 ? bytes / 2 : bytes;
    ssize_t n = NEXT(pwrite)(file, data, size, offset);
    if (kind == PLAN_DIE_AFTER)
        plan_die();
    if (at && n > 0)
        record_write(at, data, (size_t)n, offset);
    return n;
}

ssize_t pwrite64(int file, const void *data, size_t bytes, off64_t offset)
{
    return pwrite(file, data, bytes, offset);
}

int ftruncate(int file, off_t size)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path_of_file(file, buffer);
    PERFORM("ftruncate", at, NEXT(ftruncate)(file, size), -1, record_size(at, size));
}

int ftruncate64(int file, off64_t size)
{
    return ftruncate(file, size);
}

static int sync_file(int file, int (*next)(int))
{
    char buffer[PLAN_PATH];
    const char *at = plan_path_of_file(file, buffer);
    PERFORM("fsync", at, next(file), -1, record_names(RECORD_SYNC, at, NULL));
}

int fsync(int file)
{
    return sync_file(file, NEXT(fsync));
}

int fdatasync(int file)
{
    return sync_file(file, NEXT(fdatasync));
}

/* The descriptor is closed whatever the result, as on Linux. */
int close(int file)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path_of_file(file, buffer);
    plan_kind kind = at ? plan_meet("close", at) : PLAN_PASS;
    int reason = errno, result = NEXT(close)(file);
    if (kind != PLAN_FAIL)
        return result;
    errno = reason;
    return -1;
}

/* ── names ──────────────────────────────────────────────────────────────────── */

static int change_name(const char *call, const char *path, int (*next)(const char *))
{
    char buffer[PLAN_PATH];
    const char *at = plan_path(path, buffer);
    PERFORM(call, at, next(path), -1, record_names(RECORD_REMOVE, at, NULL));
}

int unlink(const char *path)
{
    return change_name("unlink", path, NEXT(unlink));
}

int rmdir(const char *path)
{
    return change_name("unlink", path, NEXT(rmdir));
}

int remove(const char *path)
{
    return change_name("unlink", path, NEXT(remove));
}

static int two_names(const char *call, record_kind record, const char *from, const char *to,
                     int (*next)(const char *, const char *))
{
    char a[PLAN_PATH], b[PLAN_PATH];
    const char *old = plan_path(from, a), *new = plan_path(to, b);
    PERFORM(call, new, next(from, to), -1, if (old) record_names(record, old, new));
}

int rename(const char *from, const char *to)
{
    return two_names("rename", RECORD_RENAME, from, to, NEXT(rename));
}

int link(const char *from, const char *to)
{
    return two_names("link", RECORD_LINK, from, to, NEXT(link));
}

/* ── owners, times, locks, maps ─────────────────────────────────────────────── */

int chmod(const char *path, mode_t mode)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path(path, buffer);
    PERFORM("attribute", at, NEXT(chmod)(path, mode), -1, );
}

int fchmod(int file, mode_t mode)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path_of_file(file, buffer);
    PERFORM("attribute", at, NEXT(fchmod)(file, mode), -1, );
}

int fchown(int file, uid_t owner, gid_t group)
{
    char buffer[PLAN_PATH];
    const char *at = plan_path_of_file(file, buffer);
    PERFORM("attribute", at, NEXT(fchown)(file, owner, group), -1, );
}

int utimensat(int folder, const char *path, const struct timespec times[2], int flags)
{
    char buffer[PLAN_PATH];
    const char *at = folder == AT_FDCWD ? plan_path(path, buffer) : NULL;
    PERFORM("attribute", at, NEXT(utimensat)(folder, path, times, flags), -1, );
}

static int control(int file, int command, void *argument)
{
    char buffer[PLAN_PATH];
    const bool locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK;
    const char *at = locks ? plan_path_of_file(file, buffer) : NULL;
    PERFORM("lock", at, NEXT(fcntl)(file, command, argument), -1, );
}

#define CONTROL(name)                                                                              \
    int name(int file, int command, ...)                                                           \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, command);                                                                   \
        void *argument = va_arg(rest, void *);                                                     \
        va_end(rest);                                                                              \
        return control(file, command, argument);                                                   \
    }
CONTROL(fcntl)
CONTROL(fcntl64)

void *mmap(void *at, size_t bytes, int access, int flags, int file, off_t offset)
{
    char buffer[PLAN_PATH];
    const char *path = flags & MAP_ANONYMOUS ? NULL : plan_path_of_file(file, buffer);
    PERFORM("mmap", path, NEXT(mmap)(at, bytes, access, flags, file, offset), MAP_FAILED, );
}

void *mmap64(void *at, size_t bytes, int access, int flags, int file, off64_t offset)
{
    return mmap(at, bytes, access, flags, file, offset);
}
