/* file_replace: temporary, fsync, rename, fsync of the folder; see file_replace.h. */
#include "io/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/open_handles.h"
#include "io/file.h"
#include "io/path.h"

static void end(an_replace *r)
{
    an_file_close(r->file);
    an_free(r->path);
    an_free(r->temporary);
    *r = (an_replace){.file = -1};
}

static an_code refused(const an_replace *r, const char *doing)
{
    int reason = errno;
    const char *way_out = "";
    if (reason == ENOSPC || reason == EDQUOT)
        way_out = "; free some space and repeat, the old file is untouched";
    else if (reason == EFBIG)
        way_out =
            "; raise the limit on file sizes (ulimit -f) and repeat, the old file is untouched";
    return an_fail(AN_EIO, "cannot %s %s: %s%s", doing, r->path, strerror(reason), way_out);
}

/* ── temporaries ────────────────────────────────────────────────────────────── */

/* The process id in the end of a name, ".PID-RANDOM.tmp"; 0 for any other end. */
static pid_t writer_of(const char *end_of_name)
{
    int pid = 0, end = 0;
    sscanf(end_of_name, ".%d-%*16[0-9a-f].tmp%n", &pid, &end);
    return end > 0 && end_of_name[end] == 0 ? pid : 0;
}

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) != 0 && errno == ESRCH;
}

int an_replace_writer(const char *end_of_name)
{
    const pid_t pid = writer_of(end_of_name);
    return pid > 0 && !is_gone(pid) ? (int)pid : 0;
}

/* An hour: a process of another machine or container may be writing it, and its id is meaningless
 * here. */
bool an_replace_left_behind(const char *path, const char *end_of_name)
{
    enum { HOUR = 3600 };
    struct stat info;
    const pid_t pid = writer_of(end_of_name);
    return pid > 0 && is_gone(pid) && lstat(path, &info) == 0 && S_ISREG(info.st_mode) &&
           time(NULL) - info.st_mtime > HOUR;
}

/* Removes the temporaries of `path` that killed processes left behind. Best effort. */
static void remove_leftovers(const char *path)
{
    char folder[AN_PATH], leftover[AN_PATH], **names;
    int64_t count;
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) + 1 : 0;
    if (snprintf(folder, sizeof folder, "%.*s", n ? n : 2, n ? path : "./") >= AN_PATH ||
        an_folder_list(folder, true, &names, &count) != AN_OK)
        return;
    for (int64_t i = 0; i < count; i++) {
        const char *base = path + n;
        if (strncmp(names[i], base, strlen(base)) == 0 &&
            an_path_join(leftover, folder, names[i]) == AN_OK &&
            an_replace_left_behind(leftover, names[i] + strlen(base)))
            unlink(leftover);
    }
    an_free(names);
}

/* Random, because another machine may have a process with the same id that writes to the folder. */
static uint64_t random_number(void)
{
    struct timespec now;
    uint64_t number;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number)
        return number;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static an_code open_temporary(an_replace *r)
{
    enum { TAIL = sizeof ".-2147483648-0123456789abcdef.tmp" };
    size_t size = strlen(r->path) + TAIL;
    r->temporary = an_alloc(size);
    if (!r->temporary)
        return AN_ENOMEM;
    if (r->durability != AN_ONE_OF_MANY)
        remove_leftovers(r->path);
    snprintf(r->temporary, size, "%s.%d-%" PRIx64 ".tmp", r->path, (int)getpid(), random_number());
    const mode_t mode = r->durability == AN_CACHE ? 0600 : 0666;
    r->file = open(r->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    return r->file >= 0 ? AN_OK : refused(r, "write");
}

/* ── beginning ──────────────────────────────────────────────────────────────── */

/* Sets r->path. *direct: what is at `path` must not be replaced. */
static an_code find_target(an_replace *r, const char *path, bool *direct)
{
    const an_path_kind kind = an_path_kind_at(path);
    if (kind == AN_FOLDER)
        return an_fail(AN_EIO, "cannot write %s: it is a folder", path);
    if (kind != AN_OTHER && an_path_is_link(path))
        return an_fail(AN_EIO, "cannot write %s: it is a link; remove it, or name its target",
                       path);
    *direct = kind == AN_OTHER;
    r->path = an_strdup(path);
    return r->path ? AN_OK : AN_ENOMEM;
}

/* Without O_NONBLOCK, opening a pipe that has no reader would block, and no signal would end
 * that. */
static an_code open_directly(an_replace *r)
{
    enum { WAITS = 200 }; /* of 10 ms, for a reader that starts at the same time */
    const struct timespec moment = {0, 10000000};
    for (int i = 0; i < WAITS; i++) {
        r->file = open(r->path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (r->file >= 0 || errno != ENXIO)
            break;
        nanosleep(&moment, NULL);
    }
    if (r->file < 0 && errno == ENXIO)
        return an_fail(AN_EIO, "cannot write %s: no program reads from this pipe", r->path);
    if (r->file < 0 || fcntl(r->file, F_SETFL, 0) != 0)
        return refused(r, "write");
    return AN_OK;
}

an_code an_replace_begin(an_replace *r, const char *path, an_durability durability)
{
    bool direct = false;
    *r = (an_replace){.file = -1, .durability = durability};
    an_code code = find_target(r, path, &direct);
    if (code == AN_OK && direct && durability == AN_CACHE) /* opening a pipe may block */
        code = an_fail(AN_EIO, "cannot write %s: not a regular file; remove it", path);
    if (code == AN_OK)
        code = direct ? open_directly(r) : open_temporary(r);
    if (code == AN_OK)
        an_handle_opened(AN_OPEN_FILE);
    else
        end(r);
    return code;
}

/* ── writing ────────────────────────────────────────────────────────────────── */

an_code an_replace_write(an_replace *r, const void *data, size_t bytes)
{
    AN_ASSERT(r->file >= 0); /* begun, and not ended */
    for (const char *from = data; bytes > 0;) {
        ssize_t n = write(r->file, from, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refused(r, "write");
        from += n;
        bytes -= (size_t)n;
    }
    return AN_OK;
}

bool an_replace_seekable(const an_replace *r)
{
    AN_ASSERT(r->file >= 0);
    return lseek(r->file, 0, SEEK_CUR) >= 0;
}

an_code an_replace_rewind(an_replace *r)
{
    AN_ASSERT(r->file >= 0);
    return lseek(r->file, 0, SEEK_SET) == 0 ? AN_OK : refused(r, "write");
}

/* ── ending ─────────────────────────────────────────────────────────────────── */

void an_replace_abort(an_replace *r)
{
    AN_ASSERT(r->file >= 0);
    if (r->temporary)
        unlink(r->temporary);
    end(r);
}

/* EINVAL, EROFS: a device, a pipe or a folder that has nothing to synchronise. */
static int sync_to_disk(int file)
{
    return fsync(file) == 0 || errno == EINVAL || errno == EROFS ? 0 : -1;
}

static int sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[AN_PATH];
    int n = slash ? (int)(slash - path) : 0;
    if (!slash)
        strcpy(folder, ".");
    else if (snprintf(folder, sizeof folder, "%.*s", n ? n : 1, path) >= (int)sizeof folder)
        return 0; /* a name this long cannot be opened; the file itself is safe */
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return -1;
    int failed = sync_to_disk(file);
    close(file);
    return failed;
}

/* A second name for the old file, so that PATH exists at every moment. Without hard links, the old
 * file is renamed, and for a moment only `previous` exists. */
static int keep_previous(const char *path, const char *previous)
{
    if (access(path, F_OK) != 0)
        return 0;
    if (unlink(previous) != 0 && errno != ENOENT)
        return -1;
    return link(path, previous) == 0 ? 0 : rename(path, previous);
}

/* A network file system may report a full disk only here. */
static an_code close_file(an_replace *r)
{
    int file = r->file;
    r->file = -1;
    an_handle_closed(AN_OPEN_FILE);
    return close(file) == 0 || errno == EINTR ? AN_OK : refused(r, "write");
}

static an_code put_in_place(an_replace *r, const char *previous)
{
    if (previous && keep_previous(r->path, previous) != 0)
        return refused(r, "keep the previous");
    if (rename(r->temporary, r->path) != 0)
        return refused(r, "rename to");
    if (r->durability == AN_DURABLE && sync_folder(r->path) != 0)
        return refused(r, "make durable the folder of");
    return AN_OK;
}

an_code an_replace_commit(an_replace *r, const char *previous)
{
    AN_ASSERT(r->file >= 0);
    an_code code = AN_OK;
    if (r->durability == AN_DURABLE && sync_to_disk(r->file) != 0)
        code = refused(r, "make durable");
    if (code == AN_OK)
        code = close_file(r);
    if (code == AN_OK && r->temporary)
        code = put_in_place(r, previous);
    if (code != AN_OK && r->temporary)
        unlink(r->temporary);
    end(r);
    return code;
}

an_code an_replace_with(const char *path, const void *data, size_t bytes, an_durability durability)
{
    an_replace r;
    an_code code = an_replace_begin(&r, path, durability);
    if (code != AN_OK)
        return code;
    code = an_replace_write(&r, data, bytes);
    if (code == AN_OK)
        return an_replace_commit(&r, NULL);
    an_replace_abort(&r);
    return code;
}
