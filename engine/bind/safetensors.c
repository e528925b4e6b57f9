/* safetensors (Lua): core.safetensors, which reads and writes tables of tensors by name.
 *
 * load(path) → {name = tensor}, {key = text}; save(path, {name = tensor} [, {key = text}]) → true.
 * A failure of the system or bad content of the file gives nil, message, code. */
#include "bind/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "bind/open.h"
#include "bind/tensor_arg.h"
#include "tensor/scope.h"

an_named *an_check_named(lua_State *L, int arg, int *n)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    *n = 0;
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1))
        ++*n;
    an_named *list = lua_newuserdatauv(L, (size_t)*n * sizeof *list + 1, 0), *to = list;
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || !luaL_testudata(L, -1, AN_TENSOR)) {
            const char *type = luaL_typename(L, -1), *name = luaL_tolstring(L, -2, NULL);
            luaL_argerror(
                L, arg,
                lua_pushfstring(L, "expected tensors by name; entry %s is a %s", name, type));
        }
        *to++ = (an_named){lua_tostring(L, -2), an_check_tensor(L, -1), false};
    }
    return list;
}

bool an_push_named(lua_State *L, an_safetensors *f)
{
    int n = an_safetensors_count(f);
    lua_createtable(L, 0, n);
    for (int i = 0; i < n; i++) {
        size_t mark = an_scope_begin();
        an_tensor *x = an_safetensors_read(f, i);
        if (!x)
            return an_scope_end(mark, NULL), lua_pop(L, 1), false;
        an_push_tensor(L, x);
        an_scope_end(mark, NULL);
        lua_setfield(L, -2, an_safetensors_name(f, i));
    }
    return true;
}

static void close_file(lua_State *L, void *f)
{
    (void)L;
    an_safetensors_close(f);
}

static const an_class file_class = {
    .name = AN_SAFETENSORS_FILE, .close = close_file, .internal = true};

an_safetensors *an_push_safetensors(lua_State *L, an_safetensors *(*opener)(const char *),
                                    const char *path)
{
    void **handle = an_new_handle(L, AN_SAFETENSORS_FILE);
    return *handle = opener(path);
}

static int load_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    an_safetensors *f = an_push_safetensors(L, an_safetensors_open, path);
    if (!f || !an_push_named(L, f))
        return an_push_failure(L);
    lua_newtable(L);
    for (int i = 0; i < an_safetensors_meta_count(f); i++) {
        an_pair pair = an_safetensors_meta_at(f, i);
        lua_pushstring(L, pair.value);
        lua_setfield(L, -2, pair.key);
    }
    an_close_handle(L, 2);
    return 2;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const an_pair *)a)->key, ((const an_pair *)b)->key);
}

/* The table {key = text} at `arg`, if any, sorted so that a file has the same bytes each time. */
static const an_pair *check_meta(lua_State *L, int arg, int *n)
{
    *n = 0;
    if (lua_isnoneornil(L, arg))
        return NULL;
    luaL_checktype(L, arg, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1))
        ++*n;
    an_pair *list = lua_newuserdatauv(L, (size_t)*n * sizeof *list + 1, 0), *to = list;
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            luaL_argerror(L, arg, "metadata is a table of strings by name");
        *to++ = (an_pair){lua_tostring(L, -2), lua_tostring(L, -1)};
    }
    qsort(list, (size_t)*n, sizeof *list, by_key);
    return list;
}

static int save_file(lua_State *L)
{
    int n, n_meta;
    const char *path = luaL_checkstring(L, 1);
    lua_settop(L, 3);
    const an_named *tensors = an_check_named(L, 2, &n);
    const an_pair *meta = check_meta(L, 3, &n_meta);
    if (an_safetensors_write(path, tensors, n, meta, n_meta, NULL) != AN_OK)
        return an_push_failure(L);
    lua_pushboolean(L, 1);
    return 1;
}

static const luaL_Reg functions[] = {{"load", load_file}, {"save", save_file}, {NULL, NULL}};

int an_open_safetensors(lua_State *L)
{
    an_define_class(L, &file_class);
    luaL_newlib(L, functions);
    return 1;
}
