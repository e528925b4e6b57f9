/* denoiser (Lua): the Denoiser class. Its encode() makes a Context (bind/context.c).
 *
 *     local d = core.denoiser.new(module, "denoiser", { kind = "cross_attention", … })
 *     local c = d:encode{ features =, crops =, mg =, ml = }
 *     local e = d:forward(c, y, t)          any number of draws per image
 * Fields: d.kind, d.classes, d.module. */
#include "model/denoiser.h"

#include <string.h>

#include "base/integer.h"
#include "bind/model.h"
#include "bind/open.h"
#include "bind/tensor_arg.h"
#include "diffusion/beta.h"
#include "tensor/scope.h"

#define AN_DENOISER "aniso.Denoiser"

static an_denoiser *check(lua_State *L)
{
    return an_check_handle(L, 1, AN_DENOISER);
}

/* new(module, prefix, options): the fields of an_denoiser_options. */
static int denoiser_new(lua_State *L)
{
    static const char *const known[] = {
        "kind",  "classes",   "features",  "crop_features", "dim",    "steps", "blocks",
        "heads", "mlp_ratio", "unordered", "candidates",    "logits", NULL};
    an_module *m = an_check_module(L, 1);
    const char *prefix = luaL_checkstring(L, 2);
    an_check_keys(L, 3, known);
    const an_denoiser_options o = {
        .kind = (an_denoiser_kind)an_opt_enum(L, 3, "kind", an_denoiser_kind_names, 0),
        .classes = an_opt_within(L, 3, "classes", 0, 0, AN_COUNT_MAX),
        .features = an_opt_within(L, 3, "features", 0, 0, AN_COUNT_MAX),
        .crop_features = an_opt_within(L, 3, "crop_features", 0, 0, AN_COUNT_MAX),
        .dim = an_opt_within(L, 3, "dim", 128, 0, AN_COUNT_MAX),
        .steps = an_opt_within(L, 3, "steps", AN_STEPS_DEFAULT, 0, AN_COUNT_MAX),
        .blocks = an_opt_within(L, 3, "blocks", 2, 0, AN_COUNT_MAX),
        .heads = an_opt_within(L, 3, "heads", 4, 0, AN_COUNT_MAX),
        .mlp_ratio = an_opt_num(L, 3, "mlp_ratio", 2),
        .candidates = an_opt_within(L, 3, "candidates", 0, 0, AN_COUNT_MAX),
        .logits = an_opt_bool(L, 3, "logits", false),
        .unordered = an_opt_bool(L, 3, "unordered", false),
    };
    void **handle = an_new_handle(L, AN_DENOISER);
    *handle = an_denoiser_new(m, prefix, &o);
    return *handle ? 1 : an_raise(L);
}

/* The tensor in a field of the table at argument 2; it stays on the stack. */
static an_tensor *field(lua_State *L, const char *key, bool required)
{
    lua_pushstring(L, key);
    int type = lua_rawget(L, 2);
    if (type == LUA_TNIL && !required)
        return NULL;
    if (!luaL_testudata(L, -1, AN_TENSOR))
        luaL_argerror(
            L, 2,
            lua_pushfstring(L, "field %s: expected a Tensor, got %s", key, luaL_typename(L, -1)));
    return an_check_tensor(L, lua_gettop(L));
}

/* d:encode{features =, crops =, mg =, ml =} → Context: what depends only on the images */
static int denoiser_encode(lua_State *L)
{
    an_denoiser *d = check(L);
    static const char *const known[] = {"features", "crops", "mg", "ml", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    an_check_keys(L, 2, known);
    an_tensor *features = field(L, "features", true), *crops = field(L, "crops", false);
    an_tensor *mg = field(L, "mg", true), *ml = field(L, "ml", true);
    void **handle = an_new_handle(L, AN_CONTEXT);
    *handle = an_denoiser_encode(d, features, crops, mg, ml);
    return *handle ? 1 : an_raise(L);
}

/* The times at `arg`: a tensor, or one number for all rows. */
static an_tensor *times(lua_State *L, int arg)
{
    if (lua_type(L, arg) != LUA_TNUMBER)
        return an_check_tensor(L, arg);
    an_tensor *t = an_tensor_new(AN_I64, 1, (int64_t[]){1});
    if (t)
        an_i64(t)[0] = lua_tointeger(L, arg);
    return t;
}

/* d:forward(context, y (B·R, K), t [, {map = true}]) → estimate (B·R, K) [, map (B·R, K, N)] */
static int denoiser_forward(lua_State *L)
{
    static const char *const known[] = {"map", NULL};
    an_denoiser *d = check(L);
    an_check_keys(L, 5, known);
    const an_denoiser_context *c = an_check_handle(L, 2, AN_CONTEXT);
    an_tensor *y = an_check_tensor(L, 3), *map = NULL;
    bool wants_map = an_opt_bool(L, 5, "map", false);
    if (lua_type(L, 4) == LUA_TNUMBER)
        luaL_checkinteger(L, 4); /* refuses 1.5 before anything is allocated */
    size_t mark = an_scope_begin();
    an_tensor *out = an_denoiser_forward(d, c, y, times(L, 4), wants_map ? &map : NULL);
    an_push_tensor(L, out);
    if (map)
        an_push_tensor(L, map);
    an_scope_end(mark, NULL);
    return map ? 2 : 1;
}

static int push_field(lua_State *L, void *d, const char *key)
{
    if (!strcmp(key, "kind"))
        return lua_pushstring(L, an_denoiser_kind_names[an_denoiser_options_of(d)->kind]), 1;
    if (!strcmp(key, "classes"))
        return lua_pushinteger(L, an_denoiser_options_of(d)->classes), 1;
    return !strcmp(key, "module") ? an_push_module(L, an_denoiser_module(d)) : 0;
}

static void close_denoiser(lua_State *L, void *d)
{
    (void)L;
    an_denoiser_free(d);
}

static int push_text(lua_State *L, void *d)
{
    const an_denoiser_options *o = an_denoiser_options_of(d);
    int before = lua_gettop(L);
    lua_pushfstring(L, "Denoiser: %s, %I classes, width %I", an_denoiser_kind_names[o->kind],
                    (lua_Integer)o->classes, (lua_Integer)o->dim);
    if (o->kind == AN_CROSS_ATTENTION)
        lua_pushfstring(L, ", %I blocks of %I heads", (lua_Integer)o->blocks,
                        (lua_Integer)o->heads);
    if (o->kind == AN_CROSS_ATTENTION && o->candidates > 0 && o->candidates < o->classes)
        lua_pushfstring(L, ", %I candidates", (lua_Integer)o->candidates);
    lua_concat(L, lua_gettop(L) - before);
    return 1;
}

static const luaL_Reg methods[] = {
    {"encode", denoiser_encode},
    {"forward", denoiser_forward},
    {NULL, NULL},
};

static const an_class denoiser_class = {.name = AN_DENOISER,
                                        .close = close_denoiser,
                                        .text = push_text,
                                        .methods = methods,
                                        .field = push_field};

static const luaL_Reg functions[] = {{"new", denoiser_new}, {NULL, NULL}};

int an_open_denoiser(lua_State *L)
{
    an_define_class(L, &denoiser_class);
    an_add_context_class(L);
    luaL_newlib(L, functions);
    return 1;
}
