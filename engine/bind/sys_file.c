/* sys_file: the file system's part of core.sys.
 *
 * Every function that the system can refuse returns nil, "path: reason", code; success
 * is true or the value asked for. Paths are plain strings, never expanded. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind/bind.h"
#include "bind/sys.h"

/* Pushes nil, "path: reason", "ENOTFOUND" or "EIO" from errno. */
static int refused(lua_State *L, const char *path)
{
    an_code code = errno == ENOENT ? AN_ENOTFOUND : AN_EIO;
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(errno));
    lua_pushstring(L, an_code_name(code));
    return 3;
}

static int done(lua_State *L)
{
    lua_pushboolean(L, 1);
    return 1;
}

/* exists(path) → "file", "directory", "other" or nil. */
static int exists(lua_State *L)
{
    struct stat info;
    if (stat(luaL_checkstring(L, 1), &info) != 0)
        lua_pushnil(L);
    else
        lua_pushstring(L, S_ISREG(info.st_mode)   ? "file"
                          : S_ISDIR(info.st_mode) ? "directory"
                                                  : "other");
    return 1;
}

/* size(path) → bytes. */
static int size(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct stat info;
    if (stat(path, &info) != 0)
        return refused(L, path);
    lua_pushinteger(L, (lua_Integer)info.st_size);
    return 1;
}

/* mkdir_p(path): the folder and the folders above it; existing ones are fine. */
static int mkdir_p(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char *walk = lua_newuserdatauv(L, strlen(path) + 1, 0);
    strcpy(walk, path);
    for (char *p = walk + (*walk == '/'); *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        if (mkdir(walk, 0777) != 0 && errno != EEXIST)
            return refused(L, walk);
        *p = '/';
    }
    struct stat info;
    if (mkdir(path, 0777) != 0 && (errno != EEXIST || stat(path, &info) != 0))
        return refused(L, path);
    return done(L);
}

/* mkdtemp() → a new empty folder below TMPDIR or /tmp. */
static int make_temporary(lua_State *L)
{
    const char *base = getenv("TMPDIR");
    const char *pattern = lua_pushfstring(L, "%s/aniso-XXXXXX", base && *base ? base : "/tmp");
    char *path = lua_newuserdatauv(L, strlen(pattern) + 1, 0);
    if (!mkdtemp(strcpy(path, pattern)))
        return refused(L, pattern);
    lua_pushstring(L, path);
    return 1;
}

static int rename_file(lua_State *L)
{
    const char *from = luaL_checkstring(L, 1);
    return rename(from, luaL_checkstring(L, 2)) != 0 ? refused(L, from) : done(L);
}

/* remove(path): a file or an empty folder. */
static int remove_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    return remove(path) != 0 ? refused(L, path) : done(L);
}

/* list(path) → the names in a folder, sorted, without "." and "..". */
static int list(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, NULL), kept = 0;
    if (count < 0)
        return refused(L, path);
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            lua_pushstring(L, name);
            lua_rawseti(L, -2, ++kept);
        }
        free(entries[i]);
    }
    free(entries);
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
    return 1;
}

/* realpath(path) → absolute, without links. */
static int real_path(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char *real = realpath(path, NULL);
    if (!real)
        return refused(L, path);
    lua_pushstring(L, real);
    free(real);
    return 1;
}

static bool write_all(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

/* write_atomic(path, text): a reader sees the old content or the new, never a part. */
static int write_atomic(lua_State *L)
{
    size_t length;
    const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
    const char *temporary = lua_pushfstring(L, "%s.new-%d", path, (int)getpid());
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return refused(L, temporary);
    bool written = write_all(file, text, length) && fsync(file) == 0;
    if (close(file) != 0)
        written = false;
    if (!written || rename(temporary, path) != 0) {
        int reason = errno;
        unlink(temporary);
        errno = reason;
        return refused(L, path);
    }
    return done(L);
}

void an_add_file_functions(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"exists", exists},
        {"list", list},
        {"mkdir_p", mkdir_p},
        {"mkdtemp", make_temporary},
        {"realpath", real_path},
        {"remove", remove_file},
        {"rename", rename_file},
        {"size", size},
        {"write_atomic", write_atomic},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
