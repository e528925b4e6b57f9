/* path: see path.h. One system call per query. */
#include "io/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/environment.h"
#include "base/memory/mem.h"

an_code an_path_refused(const char *doing, const char *path)
{
    int reason = errno;
    an_code code = reason == ENOENT || reason == ENOTDIR ? AN_ENOTFOUND : AN_EIO;
    return an_fail(code, "cannot %s %s: %s", doing, path, strerror(reason));
}

static an_code too_long(const char *path)
{
    return an_fail(AN_EINVAL, "%s: the path is too long (at most %d bytes)", path, AN_PATH - 1);
}

an_code an_path_join(char out[AN_PATH], const char *folder, const char *name)
{
    size_t n = strlen(folder);
    const char *slash = n == 0 || folder[n - 1] == '/' ? "" : "/";
    return snprintf(out, AN_PATH, "%s%s%s", folder, slash, name) < AN_PATH ? AN_OK
                                                                           : too_long(folder);
}

an_code an_path_real(char out[AN_PATH], const char *path)
{
    char *real = realpath(path, NULL);
    if (!real)
        return an_path_refused("find", path);
    bool fits = strlen(real) < AN_PATH;
    if (fits)
        strcpy(out, real);
    free(real);
    return fits ? AN_OK : too_long(path);
}

bool an_path_cache_folder(char out[AN_PATH])
{
    const char *home = an_variable("HOME"), *cache = an_variable("XDG_CACHE_HOME");
    if (!cache && !home)
        return false;
    int n = snprintf(out, AN_PATH, "%s%s/aniso", cache ? cache : home, cache ? "" : "/.cache");
    return n > 0 && n < AN_PATH;
}

/* ── what there is ──────────────────────────────────────────────────────────── */

an_path_kind an_path_kind_at(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return AN_NOTHING;
    return S_ISREG(info.st_mode) ? AN_FILE : S_ISDIR(info.st_mode) ? AN_FOLDER : AN_OTHER;
}

bool an_path_is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

bool an_path_is_plain(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink <= 1;
}

bool an_path_readable(const char *path)
{
    return access(path, R_OK) == 0;
}

bool an_folder_writable(const char *path)
{
    return access(path, R_OK | W_OK | X_OK) == 0;
}

bool an_path_is_private(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_uid == geteuid() &&
           (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool an_path_is_own(const char *path)
{
    struct stat info;
    const uid_t user = geteuid();
    return user == 0 || (stat(path, &info) == 0 && info.st_uid == user);
}

bool an_path_is_users(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && info.st_uid == geteuid();
}

const char *an_path_write_refusal(const char *path)
{
    const int needed = an_path_kind_at(path) == AN_FOLDER ? W_OK | X_OK : W_OK;
    return access(path, needed) == 0 ? NULL : strerror(errno);
}

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static an_stamp stamp_of(const struct stat *info)
{
    return (an_stamp){info->st_size, nanoseconds(info->st_mtim), nanoseconds(info->st_ctim)};
}

an_code an_path_stamp(const char *path, an_stamp *stamp)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return an_path_refused("read", path);
    *stamp = stamp_of(&info);
    return AN_OK;
}

bool an_path_find_file(const char *path, an_stamp *stamp)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    *stamp = stamp_of(&info);
    return true;
}

bool an_stamp_equal(const an_stamp *a, const an_stamp *b)
{
    return a->size == b->size && a->mtime == b->mtime && a->ctime == b->ctime;
}

/* ── changes ────────────────────────────────────────────────────────────────── */

an_code an_path_set_mode(const char *path, unsigned mode)
{
    return chmod(path, (mode_t)mode) == 0 ? AN_OK : an_path_refused("set the permissions of", path);
}

void an_path_touch(const char *path)
{
    utimensat(AT_FDCWD, path, NULL, 0);
}

an_code an_path_remove(const char *path)
{
    return remove(path) == 0 ? AN_OK : an_path_refused("remove", path);
}

/* The check and the rename are two steps, so the caller must be the only one to create the name. */
an_code an_path_move(const char *from, const char *to)
{
    struct stat found;
    if (lstat(to, &found) == 0)
        return an_fail(AN_EIO, "cannot move %s to %s: the name is taken", from, to);
    return rename(from, to) == 0 ? AN_OK : an_path_refused("move", from);
}

an_code an_folder_make(const char *path)
{
    char part[AN_PATH];
    size_t n = strlen(path);
    if (n >= sizeof part)
        return too_long(path);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != 0)
            continue;
        char kept = part[i];
        part[i] = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return an_fail(AN_EIO, "cannot make the folder %s: %s", part, strerror(errno));
        part[i] = kept;
    }
    if (an_path_kind_at(path) != AN_FOLDER)
        return an_fail(AN_EIO, "cannot make the folder %s: it exists and is not a folder", path);
    return AN_OK;
}

an_code an_folder_make_private(const char *path)
{
    const bool is_new = an_path_kind_at(path) == AN_NOTHING;
    an_code code = an_folder_make(path);
    return code == AN_OK && is_new ? an_path_set_mode(path, 0700) : code;
}

an_code an_folder_make_temporary(char out[AN_PATH])
{
    const char *base = an_variable("TMPDIR");
    an_code code = an_path_join(out, base ? base : "/tmp", "aniso-XXXXXX");
    if (code == AN_OK && !mkdtemp(out))
        code = an_fail(AN_EIO, "cannot make the folder %s: %s", out, strerror(errno));
    return code;
}

/* ── listing ────────────────────────────────────────────────────────────────── */

static int any_name(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int visible_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int bytewise(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The entries as one block: the pointers first, then the text. */
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

an_code an_folder_list(const char *path, bool hidden, char ***names, int64_t *count)
{
    AN_ASSERT(path && names && count);
    struct dirent **entries;
    int n = scandir(path, &entries, hidden ? any_name : visible_name, bytewise);
    if (n < 0)
        return an_path_refused("list", path);
    *names = pack_names(entries, n);
    *count = n;
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return *names ? AN_OK : AN_ENOMEM;
}
