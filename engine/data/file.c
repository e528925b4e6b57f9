/* file: see file.h. One read per file, one system call per question. */
#include "data/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory/mem.h"

static an_code code_of(int error)
{
    return error == ENOENT || error == ENOTDIR ? AN_ENOTFOUND : AN_EIO;
}

static an_code read_all(int fd, const char *path, uint8_t *to, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t got = read(fd, to + done, count - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return an_fail(AN_EIO, "%s: %s", path, strerror(errno));
        if (got == 0)
            return an_fail(AN_EIO, "%s: shrank while it was read; try again", path);
        done += (size_t)got;
    }
    return AN_OK;
}

static an_code read_open(int fd, const char *path, size_t limit, uint8_t **bytes, size_t *count)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return an_fail(AN_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return an_fail(AN_EFORMAT, "%s: not a regular file", path);
    if ((uint64_t)st.st_size > limit)
        return an_fail(AN_EFORMAT, "%s: %lld bytes, more than the limit of %zu", path,
                       (long long)st.st_size, limit);
    uint8_t *block = an_alloc((size_t)st.st_size + 1);
    if (!block)
        return AN_ENOMEM;
    an_code code = read_all(fd, path, block, (size_t)st.st_size);
    if (code != AN_OK) {
        an_free(block);
        return code;
    }
    block[st.st_size] = 0;
    *bytes = block, *count = (size_t)st.st_size;
    return AN_OK;
}

an_code an_file_read(const char *path, size_t limit, uint8_t **bytes, size_t *count)
{
    /* O_NONBLOCK: opening a pipe that somebody named .jpg must not wait for a writer */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return an_fail(code_of(errno), "%s: %s", path, strerror(errno));
    an_code code = read_open(fd, path, limit, bytes, count);
    close(fd);
    return code;
}

an_code an_file_write(int fd, const void *bytes, size_t count, const char *path)
{
    for (size_t done = 0; done < count;) {
        ssize_t put = write(fd, (const char *)bytes + done, count - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return an_fail(AN_EIO, "%s: %s", path, strerror(errno));
        done += (size_t)put;
    }
    return AN_OK;
}

int an_file_begin(const char *path, char temporary[AN_PATH])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now); /* with the process: unique, also between machines */
    if (snprintf(temporary, AN_PATH, "%s.%ld-%lld%09ld.tmp", path, (long)getpid(),
                 (long long)now.tv_sec, now.tv_nsec) >= AN_PATH)
        return an_fail(AN_EINVAL, "%s: the path is too long", path), -1;
    int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        an_fail(AN_EIO, "%s: %s", temporary, strerror(errno));
    return fd;
}

an_code an_file_commit(int fd, const char *temporary, const char *path, an_code code)
{
    if (close(fd) != 0 && code == AN_OK)
        code = an_fail(AN_EIO, "%s: %s", temporary, strerror(errno));
    if (code == AN_OK && rename(temporary, path) != 0)
        code = an_fail(AN_EIO, "%s: %s", path, strerror(errno));
    if (code != AN_OK)
        unlink(temporary);
    return code;
}

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static an_stamp stamp_of(const struct stat *st)
{
    return (an_stamp){st->st_size, nanoseconds(st->st_mtim), nanoseconds(st->st_ctim)};
}

an_code an_file_stamp(const char *path, an_stamp *stamp)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return an_fail(code_of(errno), "%s: %s", path, strerror(errno));
    *stamp = stamp_of(&st);
    return AN_OK;
}

bool an_find_file(const char *path, an_stamp *stamp)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    *stamp = stamp_of(&st);
    return true;
}

bool an_stamp_equal(const an_stamp *a, const an_stamp *b)
{
    return a->size == b->size && a->mtime == b->mtime && a->ctime == b->ctime;
}

bool an_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool an_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

an_code an_make_folder(const char *path)
{
    char part[AN_PATH];
    size_t n = strlen(path);
    if (n >= sizeof part)
        return an_fail(AN_EINVAL, "%s: the path is too long", path);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != 0)
            continue;
        char kept = part[i];
        part[i] = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return an_fail(AN_EIO, "%s: %s", part, strerror(errno));
        part[i] = kept;
    }
    if (!an_is_folder(path))
        return an_fail(AN_EIO, "%s: exists and is not a folder", path);
    return AN_OK;
}

an_code an_join(char out[AN_PATH], const char *folder, const char *name)
{
    size_t n = strlen(folder);
    const char *slash = n == 0 || folder[n - 1] == '/' ? "" : "/";
    if (snprintf(out, AN_PATH, "%s%s%s", folder, slash, name) >= AN_PATH)
        return an_fail(AN_EINVAL, "%s/%s: the path is too long", folder, name);
    return AN_OK;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int bytewise(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The entries as one block: the pointers first, the text behind them. */
static char **pack_names(struct dirent **entries, int n)
{
    size_t text = 0;
    for (int i = 0; i < n; i++)
        text += strlen(entries[i]->d_name) + 1;
    char **names = an_alloc((size_t)n * sizeof *names + text + 1);
    if (!names)
        return NULL;
    char *at = (char *)(names + n);
    for (int i = 0; i < n; i++) {
        names[i] = at;
        at = stpcpy(at, entries[i]->d_name) + 1;
    }
    return names;
}

an_code an_list_folder(const char *path, char ***names, int64_t *count)
{
    struct dirent **entries;
    int n = scandir(path, &entries, visible, bytewise);
    if (n < 0)
        return an_fail(code_of(errno), "%s: %s", path, strerror(errno));
    *names = pack_names(entries, n);
    *count = n;
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return *names ? AN_OK : AN_ENOMEM;
}
