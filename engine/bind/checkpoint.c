/* checkpoint (Lua): core.checkpoint, tensors and a state table in one file that is whole or absent.
 *
 * save(path, {name = tensor}, state [, {previous = true, precision = "float32", exact = prefix}]) →
 * sha256 of the tensors, bytes: the former file is kept under previous(path) unless previous =
 * false. precision: float16 or bfloat16 for tensors of two or more dimensions, except those whose
 * names begin with `exact`. load(path) → {name = tensor}, state, sha256. A failure of the system or
 * a damaged file gives nil, message, code. The state is JSON: no functions, no NaN, integers up to
 * 2^53. */
#include "io/checkpoint.h"

#include <string.h>

#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/json.h"
#include "bind/open.h"
#include "bind/safetensors.h"

/* Marks the tensors whose names begin with the field `exact` of the table at `arg`. */
static void mark_exact(lua_State *L, int arg, an_named *tensors, int n)
{
    if (lua_isnil(L, arg))
        return;
    if (lua_getfield(L, arg, "exact") != LUA_TNIL) {
        size_t length;
        const char *prefix = luaL_checklstring(L, -1, &length);
        for (int i = 0; i < n; i++)
            tensors[i].exact = strncmp(tensors[i].name, prefix, length) == 0;
    }
    lua_pop(L, 1);
}

static int save(lua_State *L)
{
    static const char *const known[] = {"exact", "precision", "previous", NULL};
    static const char *const precisions[] = {"float32", "float16", "bfloat16", NULL};
    int n;
    int64_t bytes = 0;
    char hex[AN_SHA256_HEX];
    const char *path = luaL_checkstring(L, 1);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 4);
    an_check_keys(L, 4, known);
    const an_store as = (an_store)an_opt_enum(L, 4, "precision", precisions, AN_STORE_F32);
    bool previous = an_opt_bool(L, 4, "previous", true);
    an_named *tensors = an_check_named(L, 2, &n);
    mark_exact(L, 4, tensors, n);
    an_json_encode(L, 3);
    if (an_checkpoint_save(path, tensors, n, as, lua_tostring(L, -1), previous, hex, &bytes) !=
        AN_OK)
        return an_push_failure(L);
    lua_pushstring(L, hex);
    lua_pushinteger(L, (lua_Integer)bytes);
    return 2;
}

static int load(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    an_safetensors *f = an_push_safetensors(L, an_checkpoint_open, path);
    if (!f || !an_push_named(L, f))
        return an_push_failure(L);
    const char *state = an_checkpoint_state(f);
    if (!an_json_decode(L, state, strlen(state), path))
        return an_push_failure(L);
    lua_pushstring(L, an_checkpoint_sha256(f));
    an_close_handle(L, 2);
    return 3;
}

/* previous(path) → the name under which the former checkpoint is kept. */
static int previous_name(lua_State *L)
{
    char *name = an_checkpoint_previous(luaL_checkstring(L, 1));
    if (!name)
        return an_raise(L);
    lua_pushstring(L, name);
    an_free(name);
    return 1;
}

static const luaL_Reg functions[] = {
    {"load", load}, {"previous", previous_name}, {"save", save}, {NULL, NULL}};

int an_open_checkpoint(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
