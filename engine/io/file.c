/* file: see file.h. */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/open_handles.h"
#include "io/map_guard.h"
#include "io/path.h"

/* ── open files ─────────────────────────────────────────────────────────────── */

/* O_NONBLOCK: opening a pipe whose name ends with .jpg must not block until it has a writer. */
static int open_for_reading(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static int open_for_writing(const char *path, an_file_mode mode)
{
    const int strict = mode == AN_FILE_CREATE ? O_EXCL
                       : mode == AN_FILE_OWN  ? O_NOFOLLOW | O_NONBLOCK
                                              : 0;
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | strict, 0666);
}

/* A regular file without a second name. */
static bool is_plain(int file)
{
    struct stat info;
    return fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink <= 1;
}

an_code an_file_open(const char *path, an_file_mode mode, int *file)
{
    *file = mode == AN_FILE_READ ? open_for_reading(path) : open_for_writing(path, mode);
    if (*file < 0 && mode == AN_FILE_READ)
        return an_path_refused("read", path);
    const int reason = errno;
    if (mode == AN_FILE_OWN && (*file >= 0 ? !is_plain(*file) : reason == ELOOP)) {
        if (*file >= 0)
            close(*file);
        *file = -1;
        return an_fail(AN_EIO, "%s is a link or not a regular file; remove it and repeat", path);
    }
    if (*file < 0)
        return an_fail(AN_EIO, "cannot make %s: %s", path, strerror(reason));
    an_handle_opened(AN_OPEN_FILE);
    return AN_OK;
}

an_code an_file_open_nothing(int *file)
{
    *file = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (*file < 0)
        return an_path_refused("open", "/dev/null");
    an_handle_opened(AN_OPEN_FILE);
    return AN_OK;
}

void an_file_close(int file)
{
    if (file < 0)
        return;
    close(file);
    an_handle_closed(AN_OPEN_FILE);
}

bool an_file_is_at(int file, const char *path)
{
    AN_ASSERT(file >= 0);
    struct stat opened, named;
    return fstat(file, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

an_code an_file_read_at(int file, void *to, size_t bytes, int64_t offset, const char *path)
{
    AN_ASSERT(file >= 0 && offset >= 0);
    for (char *at = to; bytes > 0;) {
        ssize_t n = pread(file, at, bytes, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return an_path_refused("read", path);
        if (n == 0)
            return an_fail(AN_EFORMAT, "%s ends too early", path);
        at += n;
        offset += n;
        bytes -= (size_t)n;
    }
    return AN_OK;
}

an_code an_file_read_next(int file, void *to, size_t room, size_t *count, const char *path)
{
    AN_ASSERT(file >= 0 && room > 0);
    ssize_t n;
    while ((n = read(file, to, room)) < 0 && (errno == EINTR || errno == EAGAIN))
        if (errno == EAGAIN) /* a pipe whose writer has not finished: reads block from here on */
            fcntl(file, F_SETFL, 0);
    if (n < 0)
        return an_path_refused("read", path);
    *count = (size_t)n;
    return AN_OK;
}

an_code an_file_size(int file, int64_t *size, const char *path)
{
    AN_ASSERT(file >= 0);
    struct stat info;
    *size = 0;
    if (fstat(file, &info) != 0)
        return an_path_refused("read", path);
    if (!S_ISREG(info.st_mode))
        return an_fail(AN_EFORMAT, "%s: not a regular file", path);
    *size = (int64_t)info.st_size;
    return AN_OK;
}

an_file_version an_file_version_of(int file)
{
    AN_ASSERT(file >= 0);
    struct stat info;
    if (fstat(file, &info) != 0)
        return (an_file_version){-1, 0, 0};
    return (an_file_version){info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

/* ── whole files ────────────────────────────────────────────────────────────── */

static an_code read_whole(int file, const char *path, size_t limit, uint8_t **bytes, size_t *count)
{
    int64_t size;
    an_code code = an_file_size(file, &size, path);
    if (code != AN_OK)
        return code;
    if ((uint64_t)size > limit)
        return an_fail(AN_EFORMAT, "%s: %lld bytes, more than the limit of %zu", path,
                       (long long)size, limit);
    uint8_t *block = an_alloc((size_t)size + 1);
    if (!block)
        return AN_ENOMEM;
    size_t done = 0, got = 1;
    while (code == AN_OK && got > 0 && done < (size_t)size) {
        code = an_file_read_next(file, block + done, (size_t)size - done, &got, path);
        done += code == AN_OK ? got : 0;
    }
    if (code == AN_OK && got == 0)
        code = an_fail(AN_EIO, "%s: shrank while it was read; try again", path);
    if (code != AN_OK)
        return an_free(block), code;
    block[size] = 0;
    *bytes = block, *count = (size_t)size;
    return AN_OK;
}

an_code an_file_read(const char *path, size_t limit, uint8_t **bytes, size_t *count)
{
    int file;
    an_code code = an_file_open(path, AN_FILE_READ, &file);
    if (code != AN_OK)
        return code;
    code = read_whole(file, path, limit, bytes, count);
    an_file_close(file);
    return code;
}

an_code an_file_read_start(const char *path, char *text, size_t size)
{
    AN_ASSERT(size > 0);
    int file;
    an_code code = an_file_open(path, AN_FILE_READ, &file);
    *text = 0;
    if (code != AN_OK)
        return code;
    size_t done = 0, got = 1;
    while (code == AN_OK && got > 0 && done + 1 < size) {
        code = an_file_read_next(file, text + done, size - 1 - done, &got, path);
        done += code == AN_OK ? got : 0;
    }
    text[done] = 0;
    an_file_close(file);
    return code;
}

an_code an_file_map(int file, const char *path, const char *advice, const void **map, size_t *size)
{
    int64_t bytes;
    an_code code = an_file_size(file, &bytes, path);
    if (code != AN_OK)
        return code;
    if (bytes == 0)
        return an_fail(AN_EFORMAT, "%s is empty", path);
    void *pages = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, file, 0);
    if (pages == MAP_FAILED)
        return an_path_refused("map", path);
    *map = pages, *size = (size_t)bytes;
    an_map_guard(pages, (size_t)bytes, path, advice);
    an_handle_opened(AN_OPEN_MAPPING);
    return AN_OK;
}

void an_file_unmap(const void *map, size_t size)
{
    AN_ASSERT(map && size > 0);
    an_map_unguard(map);
    munmap((void *)map, size);
    an_handle_closed(AN_OPEN_MAPPING);
}

void an_file_open_standard_streams(void)
{
    enum { STREAMS = 3 };
    for (int file = 0; file < STREAMS; file++)
        if (fcntl(file, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", file == 0 ? O_WRONLY : O_RDONLY);
}
