/* prior (Lua): the Prior class, which maps images and features to the prior mean.
 *
 *     local prior = core.prior.new(module, "prior", { mode = "both", classes = 7, … })
 *     local p = prior:forward(images, features)       p.m, p.g, p.l, p.mg, p.ml, …
 * Fields: prior.mode, prior.classes, prior.crop_features (D_l, 0 without crops), prior.module. */
#include "model/prior.h"

#include <string.h>

#include "base/integer.h"
#include "bind/tensor_arg.h"
#include "bind/model.h"
#include "bind/open.h"
#include "tensor/scope.h"

#define AN_PRIOR "aniso.Prior"

static an_prior *check(lua_State *L)
{
    return an_check_handle(L, 1, AN_PRIOR);
}

/* new(module, prefix, options): the fields of an_prior_options; `counts` is a list. */
static int prior_new(lua_State *L)
{
    static const char *const known[] = {"mode",        "classes", "features",  "channels",
                                        "top_percent", "crops",   "crop_size", "local_width",
                                        "attention",   "weight",  "gradient",  "cosine",
                                        "logit_scale", "counts",  "tokens",    NULL};
    an_module *m = an_check_module(L, 1);
    const char *prefix = luaL_checkstring(L, 2);
    an_check_keys(L, 3, known);
    an_prior_options o = {
        .mode = (an_prior_mode)an_opt_enum(L, 3, "mode", an_prior_mode_names, AN_PRIOR_BOTH),
        .classes = an_opt_within(L, 3, "classes", 0, 0, AN_COUNT_MAX),
        .features = an_opt_within(L, 3, "features", 0, 0, AN_COUNT_MAX),
        .channels = an_opt_within(L, 3, "channels", 3, 0, AN_COUNT_MAX),
        .top_percent = an_opt_num(L, 3, "top_percent", 20),
        .crops = an_opt_within(L, 3, "crops", 4, 0, AN_COUNT_MAX),
        .crop_size = an_opt_within(L, 3, "crop_size", 0, 0, AN_COUNT_MAX),
        .local_width = an_opt_within(L, 3, "local_width", 16, 0, AN_COUNT_MAX),
        .attention = an_opt_within(L, 3, "attention", 32, 0, AN_COUNT_MAX),
        .weight = an_opt_num(L, 3, "weight", 0.5),
        .gradient = an_opt_bool(L, 3, "gradient", false),
        .cosine = an_opt_bool(L, 3, "cosine", false),
        .tokens = an_opt_bool(L, 3, "tokens", false),
        .logit_scale = an_opt_num(L, 3, "logit_scale", 1),
    };
    if (lua_istable(L, 3) && lua_getfield(L, 3, "counts") != LUA_TNIL)
        o.counts = an_check_doubles(L, lua_gettop(L), o.classes, NULL);
    void **handle = an_new_handle(L, AN_PRIOR);
    *handle = an_prior_new(m, prefix, &o);
    return *handle ? 1 : an_raise(L);
}

static void set(lua_State *L, const char *key, an_tensor *x)
{
    if (!x)
        return;
    an_push_tensor(L, x);
    lua_setfield(L, -2, key);
}

/* prior:forward(images, features) → {m =, mg =, ml =, g =, l =, saliency =, crops =, positions =,
 * side =, attention =}; fields that the mode does not compute are absent. Positions count pixels
 * from 0. */
static int prior_forward(lua_State *L)
{
    an_prior *p = check(L);
    an_tensor *images = an_check_tensor(L, 2), *features = an_opt_tensor(L, 3);
    if (!features && an_prior_options_of(p)->mode < AN_PRIOR_UNIFORM)
        return luaL_argerror(L, 3, "expected the features of the images");
    an_prior_output out;
    size_t mark = an_scope_begin();
    if (an_prior_forward(p, images, features, &out)) {
        an_scope_end(mark, NULL);
        return an_raise(L);
    }
    lua_createtable(L, 0, 10);
    set(L, "m", out.m);
    set(L, "mg", out.mg);
    set(L, "ml", out.ml);
    set(L, "g", out.g);
    set(L, "l", out.l);
    set(L, "saliency", out.saliency);
    set(L, "crops", out.crops);
    set(L, "positions", out.positions);
    set(L, "attention", out.attention);
    if (out.positions) {
        lua_pushinteger(L, out.side);
        lua_setfield(L, -2, "side");
    }
    an_scope_end(mark, NULL);
    return 1;
}

static int push_field(lua_State *L, void *p, const char *key)
{
    if (!strcmp(key, "mode"))
        return lua_pushstring(L, an_prior_mode_names[an_prior_options_of(p)->mode]), 1;
    if (!strcmp(key, "classes"))
        return lua_pushinteger(L, an_prior_options_of(p)->classes), 1;
    if (!strcmp(key, "crop_features"))
        return lua_pushinteger(L, an_prior_crop_features(p)), 1;
    return !strcmp(key, "module") ? an_push_module(L, an_prior_module(p)) : 0;
}

static void close_prior(lua_State *L, void *p)
{
    (void)L;
    an_prior_free(p);
}

static int push_text(lua_State *L, void *p)
{
    const an_prior_options *o = an_prior_options_of(p);
    int before = lua_gettop(L);
    lua_pushfstring(L, "Prior: %s, %I classes", an_prior_mode_names[o->mode],
                    (lua_Integer)o->classes);
    if (o->mode < AN_PRIOR_UNIFORM)
        lua_pushfstring(L, ", top %f %%", o->top_percent);
    if (an_prior_crop_features(p))
        lua_pushfstring(L, o->tokens ? ", %I tokens" : ", %I crops", (lua_Integer)o->crops);
    lua_concat(L, lua_gettop(L) - before);
    return 1;
}

static const luaL_Reg methods[] = {{"forward", prior_forward}, {NULL, NULL}};

static const an_class prior_class = {.name = AN_PRIOR,
                                     .close = close_prior,
                                     .text = push_text,
                                     .methods = methods,
                                     .field = push_field};

static const luaL_Reg functions[] = {{"new", prior_new}, {NULL, NULL}};

int an_open_prior(lua_State *L)
{
    an_define_class(L, &prior_class);
    luaL_newlib(L, functions);
    return 1;
}
