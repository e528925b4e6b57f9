/* sys_file: the file-system part of core.sys, over io/path.h and io/file_replace.h.
 *
 * A function that fails because the system refuses returns nil, message, code name; on success it
 * returns true or the value that it is named after. */
#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/sys.h"
#include "io/file.h"
#include "io/file_replace.h"
#include "io/path.h"

/* true, or nil, message, code name. */
static int push_done(lua_State *L, an_code code)
{
    if (code != AN_OK)
        return an_push_failure(L);
    lua_pushboolean(L, 1);
    return 1;
}

/* exists(path) → "file", "directory", "other" or nil. */
static int exists(lua_State *L)
{
    static const char *const names[] = {
        [AN_FILE] = "file", [AN_FOLDER] = "directory", [AN_OTHER] = "other"};
    lua_pushstring(L, names[an_path_kind_at(luaL_checkstring(L, 1))]); /* NULL: nil */
    return 1;
}

/* is_link(path) → whether the name is a symbolic link, dangling or not. */
static int is_link(lua_State *L)
{
    lua_pushboolean(L, an_path_is_link(luaL_checkstring(L, 1)));
    return 1;
}

/* size(path) → bytes. */
static int size(lua_State *L)
{
    an_stamp stamp;
    if (an_path_stamp(luaL_checkstring(L, 1), &stamp) != AN_OK)
        return an_push_failure(L);
    lua_pushinteger(L, stamp.size);
    return 1;
}

/* mkdir_p(path): creates the folder and its parents; existing ones are fine. */
static int make_folder(lua_State *L)
{
    return push_done(L, an_folder_make(luaL_checkstring(L, 1)));
}

/* mkdtemp() → a new empty folder below TMPDIR or /tmp. */
static int make_temporary(lua_State *L)
{
    char path[AN_PATH];
    if (an_folder_make_temporary(path) != AN_OK)
        return an_push_failure(L);
    lua_pushstring(L, path);
    return 1;
}

/* move(from, to): gives a file or a folder an unused name on the same file system. */
static int move_file(lua_State *L)
{
    return push_done(L, an_path_move(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
}

/* remove(path): removes a file or an empty folder. */
static int remove_file(lua_State *L)
{
    return push_done(L, an_path_remove(luaL_checkstring(L, 1)));
}

static void close_names(lua_State *L, void *names)
{
    (void)L;
    an_free(names);
}

/* Owns the names in a folder, so that a Lua error does not leak them. */
static const an_class names_class = {
    .name = "aniso.FolderNames", .close = close_names, .internal = true};

/* list(path) → the names in a folder, sorted bytewise, without "." and "..". */
static int list(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char **names;
    int64_t count;
    lua_settop(L, 1);
    void **handle = an_new_handle(L, names_class.name);
    if (an_folder_list(path, true, &names, &count) != AN_OK)
        return an_push_failure(L);
    *handle = names;
    lua_createtable(L, (int)count, 0);
    for (int64_t i = 0; i < count; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    an_close_handle(L, 2);
    return 1;
}

/* realpath(path) → absolute, without links. */
static int real_path(lua_State *L)
{
    char real[AN_PATH];
    if (an_path_real(real, luaL_checkstring(L, 1)) != AN_OK)
        return an_push_failure(L);
    lua_pushstring(L, real);
    return 1;
}

/* Pushes at most `most` bytes from the beginning of a regular file as a text. */
static an_code push_start(lua_State *L, const char *path, size_t most)
{
    int file;
    int64_t size;
    an_code code = an_file_open(path, AN_FILE_READ, &file);
    if (code != AN_OK)
        return code;
    code = an_file_size(file, &size, path);
    const size_t bytes = (uint64_t)size < most ? (size_t)size : most;
    char *block = code == AN_OK ? an_alloc(bytes + 1) : NULL;
    if (code == AN_OK)
        code = block ? an_file_read_at(file, block, bytes, 0, path) : AN_ENOMEM;
    an_file_close(file);
    if (code == AN_OK)
        lua_pushlstring(L, block, bytes);
    an_free(block);
    return code;
}

static an_code push_whole(lua_State *L, const char *path, size_t most)
{
    uint8_t *bytes;
    size_t count;
    an_code code = an_file_read(path, most, &bytes, &count);
    if (code != AN_OK)
        return code;
    lua_pushlstring(L, (char *)bytes, count);
    an_free(bytes);
    return AN_OK;
}

/* read(path, most[, start]) → the text of a regular file of at most `most` bytes; with `start`, the
 * first `most` bytes of a file of any size. A pipe or a device is EFORMAT; the call does not
 * block. */
static int read_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    lua_Integer most = luaL_checkinteger(L, 2);
    luaL_argcheck(L, most >= 0, 2, "a number of bytes");
    an_code code =
        lua_toboolean(L, 3) ? push_start(L, path, (size_t)most) : push_whole(L, path, (size_t)most);
    return code == AN_OK ? 1 : an_push_failure(L);
}

/* write_atomic(path, text): a reader finds the old content or the new, never part of it;
 * durable. */
static int write_atomic(lua_State *L)
{
    size_t length;
    const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
    return push_done(L, an_replace_with(path, text, length, AN_DURABLE));
}

void an_add_file_functions(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"exists", exists},       {"is_link", is_link},           {"list", list},
        {"mkdir_p", make_folder}, {"mkdtemp", make_temporary},    {"move", move_file},
        {"read", read_file},      {"realpath", real_path},        {"remove", remove_file},
        {"size", size},           {"write_atomic", write_atomic}, {NULL, NULL},
    };
    an_define_class(L, &names_class);
    luaL_setfuncs(L, functions, 0);
}
