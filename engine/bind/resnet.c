/* resnet (Lua): the ResNet userdata, images to feature maps.
 *
 *     local net = core.resnet.new(module, "backbone", { kind = "resnet", depth = 8, width = 32,
 *                                                       channels = 3 })
 *     local features = net:forward(images) */
#include "model/resnet.h"

#include "bind/bind.h"
#include "bind/model.h"
#include "bind/open.h"
#include "bind/tensor.h"
#include "tensor/scope.h"

#define AN_RESNET "aniso.ResNet"

static an_resnet *check(lua_State *L)
{
    return an_check_handle(L, 1, AN_RESNET);
}

/* new(module, prefix, {kind = "resnet" or "resnet18", depth =, width =, channels =}) */
static int resnet_new(lua_State *L)
{
    static const char *const kinds[] = {"resnet", "resnet18", NULL};
    an_module *m = an_check_module(L, 1);
    const char *prefix = luaL_checkstring(L, 2);
    bool small = an_opt_enum(L, 3, "kind", kinds, 0) == 0;
    int64_t channels = an_opt_int(L, 3, "channels", 3);
    int64_t width = an_opt_int(L, 3, "width", small ? 32 : 64);
    an_resnet_options options = an_resnet_18(channels, width);
    if (small && an_resnet_small(&options, channels, width, an_opt_int(L, 3, "depth", 8)))
        return an_raise(L);
    void **handle = an_new_handle(L, AN_RESNET);
    *handle = an_resnet_new(m, prefix, &options);
    return *handle ? 1 : an_raise(L);
}

/* net:forward(images (B, H, W, C)) → features (B, h, w, Cf) */
static int resnet_forward(lua_State *L)
{
    an_resnet *r = check(L);
    an_tensor *images = an_check_tensor(L, 2);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_resnet_forward(r, images));
}

/* net:features() → Cf */
static int resnet_features(lua_State *L)
{
    lua_pushinteger(L, an_resnet_features(check(L)));
    return 1;
}

static int resnet_module(lua_State *L)
{
    return an_push_module(L, an_resnet_module(check(L)));
}

static int resnet_close(lua_State *L)
{
    void **handle = luaL_checkudata(L, 1, AN_RESNET);
    an_resnet_free(*handle);
    *handle = NULL;
    return 0;
}

static int resnet_tostring(lua_State *L)
{
    void **handle = luaL_checkudata(L, 1, AN_RESNET);
    if (!*handle)
        return lua_pushliteral(L, "ResNet (closed)"), 1;
    const an_resnet_options *o = an_resnet_options_of(*handle);
    lua_pushfstring(L, "ResNet-%I: width %I, %I channels in, %I features out",
                    (lua_Integer)(2 * o->stages * o->blocks + 2), (lua_Integer)o->width,
                    (lua_Integer)o->channels, (lua_Integer)an_resnet_features(*handle));
    return 1;
}

static const luaL_Reg methods[] = {
    {"forward", resnet_forward}, {"features", resnet_features}, {"module", resnet_module},
    {"close", resnet_close},     {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__gc", resnet_close},
    {"__close", resnet_close},
    {"__tostring", resnet_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {{"new", resnet_new}, {NULL, NULL}};

int an_open_resnet(lua_State *L)
{
    an_class(L, AN_RESNET, methods, meta);
    luaL_newlib(L, functions);
    return 1;
}
