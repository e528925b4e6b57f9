/* module_state (Lua): the named state of a Module: names, get, state, load. */
#include <string.h>

#include "bind/tensor_arg.h"
#include "bind/model.h"

/* m:names() → list in order of declaration */
int an_module_names(lua_State *L)
{
    const an_module *m = an_check_module(L, 1);
    lua_newtable(L);
    for (int64_t i = 0; i < an_module_entries(m); i++) {
        lua_pushstring(L, an_module_entry(m, i)->name);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* m:get(name) → the parameter or buffer itself */
int an_module_get(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    const an_entry *e = an_module_find(an_check_module(L, 1), name);
    if (!e)
        return luaL_error(L, "the module has no tensor '%s'; names() lists them", name);
    return an_push_tensor(L, e->x);
}

/* m:state() → {name = tensor}: the tensors themselves, parameters and buffers */
int an_module_state(lua_State *L)
{
    const an_module *m = an_check_module(L, 1);
    lua_newtable(L);
    for (int64_t i = 0; i < an_module_entries(m); i++) {
        an_push_tensor(L, an_module_entry(m, i)->x);
        lua_setfield(L, -2, an_module_entry(m, i)->name);
    }
    return 1;
}

/* ── loading ─────────────────────────────────────────────────────────────────── */

/* The entry's name in the table, NULL if it lacks the prefix. */
static const char *key_of(const an_entry *e, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(e->name, prefix, n) ? NULL : e->name + n;
}

/* Raises if the value on the top of the stack is not a tensor that fits the entry. */
static void check_shape(lua_State *L, const an_entry *e)
{
    if (!luaL_testudata(L, -1, AN_TENSOR))
        luaL_error(L, "load: '%s' is a %s, not a tensor", e->name, luaL_typename(L, -1));
    const an_tensor *x = an_check_tensor(L, lua_gettop(L));
    if (x->dtype != AN_F32 || !an_same_shape(x, e->x))
        luaL_error(L, "load: '%s' has shape %s%s, the module expects %s", e->name, an_shape_text(x),
                   x->dtype == AN_F32 ? "" : " of int64", an_shape_text(e->x));
}

/* Checks the tensors in the table; strict: raises if the table lacks one of the module's names. */
static void check_present(lua_State *L, int table, const an_module *m, const char *prefix,
                          bool strict)
{
    for (int64_t i = 0; i < an_module_entries(m); i++) {
        const an_entry *e = an_module_entry(m, i);
        const char *key = key_of(e, prefix);
        if (!key)
            continue;
        if (lua_getfield(L, table, key) != LUA_TNIL)
            check_shape(L, e);
        else if (strict)
            luaL_error(L, "load: '%s' %s is missing", e->name, an_shape_text(e->x));
        lua_pop(L, 1);
    }
}

/* Raises if the table has a name that the module lacks. */
static void check_unexpected(lua_State *L, int table, const an_module *m, const char *prefix)
{
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "load: a state maps names to tensors, but one of its keys is a %s",
                       luaL_typename(L, -2));
        const char *key = lua_tostring(L, -2);
        if (an_module_find(m, an_name("%s%s", prefix, key).text))
            continue;
        bool tensor = luaL_testudata(L, -1, AN_TENSOR) != NULL;
        luaL_error(L, "load: '%s%s' %s is unexpected; {strict = false} ignores such names", prefix,
                   key, tensor ? an_shape_text(an_check_tensor(L, lua_gettop(L))) : "");
    }
}

int64_t an_load_state(lua_State *L, int table, an_module *m, const char *prefix, bool strict)
{
    luaL_checktype(L, table, LUA_TTABLE);
    check_present(L, table, m, prefix, strict);
    if (strict)
        check_unexpected(L, table, m, prefix);
    int64_t copied = 0;
    for (int64_t i = 0; i < an_module_entries(m); i++) {
        const an_entry *e = an_module_entry(m, i);
        const char *key = key_of(e, prefix);
        if (key && lua_getfield(L, table, key) != LUA_TNIL) {
            if (an_copy(e->x, an_check_tensor(L, lua_gettop(L))))
                an_raise(L);
            copied++;
        }
        lua_settop(L, key ? -2 : -1);
    }
    return copied;
}

/* m:load(state [, {strict = true}]) → how many tensors were copied */
int an_module_load(lua_State *L)
{
    static const char *const known[] = {"strict", NULL};
    an_module *m = an_check_module(L, 1);
    an_check_keys(L, 3, known);
    bool strict = an_opt_bool(L, 3, "strict", true);
    lua_pushinteger(L, an_load_state(L, 2, m, "", strict));
    return 1;
}
