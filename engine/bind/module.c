/* module (Lua): the Module userdata, the named and the flat state of networks.
 *
 *     local m = core.module.new{ seed = 1 }
 *     local net = core.resnet.new(m, "backbone", {…})
 *     m:seal()                       then m:flat(), m:state(), m:load(state), … */
#include "bind/bind.h"
#include "bind/model.h"
#include "bind/open.h"

an_module *an_check_module(lua_State *L, int arg)
{
    return an_check_handle(L, arg, AN_MODULE);
}

int an_push_module(lua_State *L, an_module *m)
{
    void **handle = an_new_handle(L, AN_MODULE);
    an_module_retain(m);
    *handle = m;
    return 1;
}

/* new{seed = 0} */
static int module_new(lua_State *L)
{
    uint64_t seed = (uint64_t)an_opt_int(L, 1, "seed", 0);
    void **handle = an_new_handle(L, AN_MODULE);
    *handle = an_module_new(seed);
    return *handle ? 1 : an_raise(L);
}

/* m:seal() → m. No network can be added afterwards. */
static int module_seal(lua_State *L)
{
    if (an_module_seal(an_check_module(L, 1)))
        return an_raise(L);
    lua_settop(L, 1);
    return 1;
}

/* ── the flat state ──────────────────────────────────────────────────────────── */

/* m:flat() → values, gradient: two 1-D tensors over all parameters. */
static int module_flat(lua_State *L)
{
    an_module *m = an_check_module(L, 1);
    an_push_tensor(L, an_module_values(m));
    an_push_tensor(L, an_module_gradient(m));
    return 2;
}

/* m:flat_buffers() → 1-D tensor */
static int module_flat_buffers(lua_State *L)
{
    return an_push_tensor(L, an_module_buffers(an_check_module(L, 1)));
}

/* m:decay_ranges() → list of {first =, length =, decay =}, first counting from 1 */
static int module_decay_ranges(lua_State *L)
{
    an_range range[2];
    int n = an_module_decay_ranges(an_check_module(L, 1), range);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, range[i].first + 1);
        lua_setfield(L, -2, "first");
        lua_pushinteger(L, range[i].length);
        lua_setfield(L, -2, "length");
        lua_pushboolean(L, range[i].decay);
        lua_setfield(L, -2, "decay");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int module_zero_grad(lua_State *L)
{
    return an_module_zero_grad(an_check_module(L, 1)) ? an_raise(L) : 0;
}

/* m:swap(values [, buffers]): exchanges contents with tensors of the same length. */
static int module_swap(lua_State *L)
{
    an_module *m = an_check_module(L, 1);
    an_tensor *values = an_check_tensor(L, 2), *buffers = an_opt_tensor(L, 3);
    return an_module_swap(m, values, buffers) ? an_raise(L) : 0;
}

/* ── flags ───────────────────────────────────────────────────────────────────── */

/* m:train([on = true]) → m */
static int module_train(lua_State *L)
{
    an_module_train(an_check_module(L, 1), lua_isnoneornil(L, 2) || lua_toboolean(L, 2));
    lua_settop(L, 1);
    return 1;
}

/* m:training() → whether batch normalisation uses the batch's moments: in training, not frozen */
static int module_training(lua_State *L)
{
    lua_pushboolean(L, an_module_training(an_check_module(L, 1)));
    return 1;
}

/* m:freeze([on = true]) → m. A frozen module wants no gradients and acts as in evaluation. */
static int module_freeze(lua_State *L)
{
    an_module_freeze(an_check_module(L, 1), lua_isnoneornil(L, 2) || lua_toboolean(L, 2));
    lua_settop(L, 1);
    return 1;
}

static int module_frozen(lua_State *L)
{
    lua_pushboolean(L, an_module_frozen(an_check_module(L, 1)));
    return 1;
}

/* ── the named state ─────────────────────────────────────────────────────────── */

/* m:names() → list in order of declaration */
static int module_names(lua_State *L)
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
static int module_get(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    const an_entry *e = an_module_find(an_check_module(L, 1), name);
    if (!e)
        return luaL_error(L, "the module has no tensor '%s'; names() lists them", name);
    return an_push_tensor(L, e->x);
}

/* m:state() → {name = tensor}: the tensors themselves, parameters and buffers */
static int module_state(lua_State *L)
{
    const an_module *m = an_check_module(L, 1);
    lua_newtable(L);
    for (int64_t i = 0; i < an_module_entries(m); i++) {
        an_push_tensor(L, an_module_entry(m, i)->x);
        lua_setfield(L, -2, an_module_entry(m, i)->name);
    }
    return 1;
}

/* Raises when the state's tensor for this entry, on top of the stack, has another shape. */
static void check_shape(lua_State *L, const an_entry *e)
{
    if (!luaL_testudata(L, -1, AN_TENSOR))
        luaL_error(L, "load: '%s' is a %s, not a tensor", e->name, luaL_typename(L, -1));
    const an_tensor *x = an_check_tensor(L, lua_gettop(L));
    if (x->dtype != AN_F32 || !an_same_shape(x, e->x))
        luaL_error(L, "load: '%s' has shape %s%s, the module expects %s", e->name,
                   an_shape_text(x), x->dtype == AN_F32 ? "" : " of int64", an_shape_text(e->x));
}

/* Raises when the table at 2 lacks one of the module's names. */
static void check_missing(lua_State *L, const an_module *m, bool strict)
{
    for (int64_t i = 0; i < an_module_entries(m); i++) {
        const an_entry *e = an_module_entry(m, i);
        if (lua_getfield(L, 2, e->name) != LUA_TNIL)
            check_shape(L, e);
        else if (strict)
            luaL_error(L, "load: '%s' %s is missing", e->name, an_shape_text(e->x));
        lua_pop(L, 1);
    }
}

/* Raises when the table at 2 has a name that the module lacks. */
static void check_unexpected(lua_State *L, const an_module *m)
{
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        bool text = lua_type(L, -2) == LUA_TSTRING;
        if (text && an_module_find(m, lua_tostring(L, -2)))
            continue;
        bool tensor = luaL_testudata(L, -1, AN_TENSOR) != NULL;
        luaL_error(L, "load: '%s' %s is unexpected; pass {strict = false} to skip such names",
                   text ? lua_tostring(L, -2) : luaL_typename(L, -2),
                   tensor ? an_shape_text(an_check_tensor(L, lua_gettop(L))) : "");
    }
}

/* m:load(state [, {strict = true}]) → how many tensors were copied. Checks every name and
 * shape first: after an error nothing has changed. */
static int module_load(lua_State *L)
{
    an_module *m = an_check_module(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    bool strict = an_opt_bool(L, 3, "strict", true);
    check_missing(L, m, strict);
    if (strict)
        check_unexpected(L, m);
    lua_Integer copied = 0;
    for (int64_t i = 0; i < an_module_entries(m); i++) {
        const an_entry *e = an_module_entry(m, i);
        if (lua_getfield(L, 2, e->name) != LUA_TNIL) {
            if (an_copy(e->x, an_check_tensor(L, lua_gettop(L))))
                return an_raise(L);
            copied++;
        }
        lua_pop(L, 1);
    }
    lua_pushinteger(L, copied);
    return 1;
}

/* m:count() → numbers in all parameters */
static int module_count(lua_State *L)
{
    lua_pushinteger(L, an_module_count(an_check_module(L, 1)));
    return 1;
}

/* ── the class ───────────────────────────────────────────────────────────────── */

static int module_close(lua_State *L)
{
    void **handle = luaL_checkudata(L, 1, AN_MODULE);
    an_module_release(*handle);
    *handle = NULL;
    return 0;
}

static int module_tostring(lua_State *L)
{
    void **handle = luaL_checkudata(L, 1, AN_MODULE);
    if (!*handle)
        lua_pushliteral(L, "Module (closed)");
    else
        lua_pushfstring(L, "Module: %I parameters in %I tensors%s%s",
                        (lua_Integer)an_module_count(*handle),
                        (lua_Integer)an_module_entries(*handle),
                        an_module_sealed(*handle) ? "" : ", not sealed",
                        an_module_frozen(*handle) ? ", frozen" : "");
    return 1;
}

static const luaL_Reg methods[] = {
    {"seal", module_seal},
    {"flat", module_flat},
    {"flat_buffers", module_flat_buffers},
    {"decay_ranges", module_decay_ranges},
    {"zero_grad", module_zero_grad},
    {"swap", module_swap},
    {"train", module_train},
    {"training", module_training},
    {"freeze", module_freeze},
    {"frozen", module_frozen},
    {"names", module_names},
    {"get", module_get},
    {"state", module_state},
    {"load", module_load},
    {"count", module_count},
    {"close", module_close},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__gc", module_close},
    {"__close", module_close},
    {"__tostring", module_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {{"new", module_new}, {NULL, NULL}};

int an_open_module(lua_State *L)
{
    an_class(L, AN_MODULE, methods, meta);
    luaL_newlib(L, functions);
    return 1;
}
