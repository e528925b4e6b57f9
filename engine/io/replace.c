/* replace: write aside, fsync, rename, fsync the folder. */
#include "io/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory/mem.h"

static void end(an_replace *r)
{
    if (r->file >= 0)
        close(r->file);
    an_free(r->path);
    an_free(r->temporary);
    *r = (an_replace){.file = -1};
}

static an_code refused(const an_replace *r, const char *doing)
{
    int reason = errno;
    const char *way_out = reason == ENOSPC || reason == EDQUOT || reason == EFBIG
                              ? "; free some space and repeat, the old file is untouched"
                              : "";
    return an_fail(AN_EIO, "cannot %s %s: %s%s", doing, r->path, strerror(reason), way_out);
}

an_code an_replace_begin(an_replace *r, const char *path)
{
    size_t size = strlen(path) + sizeof ".tmp";
    *r = (an_replace){.path = an_strdup(path), .temporary = an_alloc(size), .file = -1};
    if (!r->path || !r->temporary)
        return end(r), AN_ENOMEM;
    snprintf(r->temporary, size, "%s.tmp", path);
    r->file = open(r->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (r->file < 0) {
        an_code code = refused(r, "write");
        return end(r), code;
    }
    return AN_OK;
}

an_code an_replace_write(an_replace *r, const void *data, size_t bytes)
{
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

an_code an_replace_rewind(an_replace *r)
{
    return lseek(r->file, 0, SEEK_SET) == 0 ? AN_OK : refused(r, "write");
}

void an_replace_abort(an_replace *r)
{
    if (r->temporary)
        unlink(r->temporary);
    end(r);
}

/* A second name for the old file, so that PATH exists at every moment. Where the file
 * system has no hard links, a rename does, with a moment in which only `previous` exists. */
static int keep_previous(const char *path, const char *previous)
{
    if (access(path, F_OK) != 0)
        return 0;
    if (unlink(previous) != 0 && errno != ENOENT)
        return -1;
    return link(path, previous) == 0 ? 0 : rename(path, previous);
}

static int sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[4096];
    int n = slash ? (int)(slash - path) : 0;
    if (!slash)
        strcpy(folder, ".");
    else if (snprintf(folder, sizeof folder, "%.*s", n ? n : 1, path) >= (int)sizeof folder)
        return 0; /* a name this long cannot be opened; the file itself is safe */
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = fsync(fd) != 0 && errno != EINVAL; /* EINVAL: nothing to sync there */
    close(fd);
    return failed ? -1 : 0;
}

an_code an_replace_commit(an_replace *r, const char *previous)
{
    an_code code = AN_OK;
    if (fsync(r->file) != 0)
        code = refused(r, "make durable");
    else if (previous && keep_previous(r->path, previous) != 0)
        code = refused(r, "keep the previous");
    else if (rename(r->temporary, r->path) != 0)
        code = refused(r, "rename to");
    else if (sync_folder(r->path) != 0)
        code = refused(r, "make durable the folder of");
    if (code != AN_OK)
        unlink(r->temporary);
    end(r);
    return code;
}
