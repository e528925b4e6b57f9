/* resnet (Lua): the ResNet class, which maps images to feature maps.
 *
 *     local net = core.resnet.new(module, "backbone", { kind = "resnet", depth = 8, width = 32,
 *                                                       channels = 3 })
 *     local features = net:forward(images)
 *     net:recompute(3)                     -- trades time for memory: model/resnet.h
 * Fields: net.features (Cf), net.module, net.units. */
#include "model/resnet.h"

#include <string.h>

#include "base/integer.h"
#include "bind/model.h"
#include "bind/open.h"
#include "bind/tensor_arg.h"
#include "model/shared_resnet.h"
#include "tensor/scope.h"

#define AN_RESNET "aniso.ResNet"

static an_resnet *check(lua_State *L)
{
    return an_check_handle(L, 1, AN_RESNET);
}

enum { SMALL, RESNET18, RESNET34, RESNET50 };

/* The network's options from the table at argument 3. */
static an_resnet_options check_options(lua_State *L)
{
    static const char *const kinds[] = {"resnet", "resnet18", "resnet34", "resnet50", NULL};
    static const int depths[] = {[RESNET18] = 18, [RESNET34] = 34, [RESNET50] = 50};
    int kind = an_opt_enum(L, 3, "kind", kinds, SMALL);
    int64_t channels = an_opt_within(L, 3, "channels", 3, 0, AN_COUNT_MAX);
    int64_t width = an_opt_within(L, 3, "width", kind == SMALL ? 32 : 64, 0, AN_COUNT_MAX);
    if (kind != SMALL)
        return an_resnet_large(channels, width, depths[kind]);
    an_resnet_options options;
    if (an_resnet_small(&options, channels, width,
                        an_opt_within(L, 3, "depth", 8, 0, AN_COUNT_MAX)))
        an_raise(L);
    options.stem_stride = (int)an_opt_within(L, 3, "stem_stride", 1, 1, 2);
    return options;
}

/* new(module, prefix, {kind = "resnet", "resnet18", "resnet34" or "resnet50", depth =, stem_stride
 * =, width =, channels =}) */
static int resnet_new(lua_State *L)
{
    static const char *const known[] = {"kind", "depth", "stem_stride", "width", "channels", NULL};
    an_module *m = an_check_module(L, 1);
    const char *prefix = luaL_checkstring(L, 2);
    an_check_keys(L, 3, known);
    an_resnet_options options = check_options(L);
    void **handle = an_new_handle(L, AN_RESNET);
    *handle = an_resnet_new(m, prefix, &options);
    if (!*handle)
        return an_raise(L);
    lua_pushfstring(L, "%s.", prefix);
    lua_setiuservalue(L, -2, 1); /* for load() */
    return 1;
}

/* net:forward(images (B, H, W, C)) → features (B, h, w, Cf) */
static int resnet_forward(lua_State *L)
{
    an_resnet *r = check(L);
    an_tensor *images = an_check_tensor(L, 2);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_shared_resnet_forward(r, images));
}

/* net:recompute(n): from the next forward pass on, the first n units keep no intermediates */
static int resnet_recompute(lua_State *L)
{
    an_resnet *r = check(L);
    an_resnet_recompute(r, an_check_within(L, 2, "n", 0, an_resnet_units(r)));
    return 0;
}

static void set_bytes(lua_State *L, const char *name, int64_t bytes)
{
    lua_pushinteger(L, bytes);
    lua_setfield(L, -2, name);
}

/* net:unit_bytes() → {before, kept, peak} of each unit, see an_segment_bytes */
static int resnet_unit_bytes(lua_State *L)
{
    const an_resnet *r = check(L);
    lua_createtable(L, (int)an_resnet_units(r), 0);
    for (int64_t i = 0; i < an_resnet_units(r); i++) {
        const an_segment_bytes bytes = an_resnet_unit_bytes(r, i);
        lua_createtable(L, 0, 3);
        set_bytes(L, "before", bytes.before);
        set_bytes(L, "kept", bytes.kept);
        set_bytes(L, "peak", bytes.peak);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* Whether a name in published weights is not part of the features: the classifier, or PyTorch's
 * batch counter. */
static bool is_foreign(const char *name)
{
    static const char counter[] = ".num_batches_tracked";
    size_t n = strlen(name), tail = sizeof counter - 1;
    return !strncmp(name, "fc.", 3) || (n >= tail && !strcmp(name + n - tail, counter));
}

/* net:load{name = tensor}: weights with torchvision's names, such as conv1.weight. The classifier
 * (fc) is skipped; everything else must match exactly. */
static int resnet_load(lua_State *L)
{
    an_resnet *r = check(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING && is_foreign(lua_tostring(L, -2)))
            continue;
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, 3);
    }
    lua_getiuservalue(L, 1, 1);
    an_load_state(L, 3, an_resnet_module(r), lua_tostring(L, -1), true);
    return 0;
}

static int push_field(lua_State *L, void *net, const char *key)
{
    if (!strcmp(key, "features"))
        return lua_pushinteger(L, an_resnet_features(net)), 1;
    if (!strcmp(key, "units"))
        return lua_pushinteger(L, an_resnet_units(net)), 1;
    return !strcmp(key, "module") ? an_push_module(L, an_resnet_module(net)) : 0;
}

static void close_resnet(lua_State *L, void *net)
{
    (void)L;
    an_resnet_free(net);
}

static int push_text(lua_State *L, void *net)
{
    const an_resnet_options *o = an_resnet_options_of(net);
    const char *stem = !o->large_stem && o->stem_stride == 2 ? ", stem of stride 2" : "";
    lua_pushfstring(L, "ResNet-%I: width %I%s, %I channels in, %I features out",
                    (lua_Integer)an_resnet_depth(o), (lua_Integer)o->width, stem,
                    (lua_Integer)o->channels, (lua_Integer)an_resnet_features(net));
    return 1;
}

static const luaL_Reg methods[] = {{"forward", resnet_forward},
                                   {"load", resnet_load},
                                   {"recompute", resnet_recompute},
                                   {"unit_bytes", resnet_unit_bytes},
                                   {NULL, NULL}};

static const an_class resnet_class = {.name = AN_RESNET,
                                      .close = close_resnet,
                                      .text = push_text,
                                      .methods = methods,
                                      .field = push_field};

static const luaL_Reg functions[] = {{"new", resnet_new}, {NULL, NULL}};

int an_open_resnet(lua_State *L)
{
    an_define_class(L, &resnet_class);
    luaL_newlib(L, functions);
    return 1;
}
