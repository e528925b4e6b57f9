/* context (Lua): the Context class, what a denoiser keeps of a batch of images between its passes.
 * Made by denoiser:encode(). Field: c.images, the number of images. */
#include <string.h>

#include "bind/bind.h"
#include "bind/model.h"
#include "model/denoiser.h"

static int context_index(lua_State *L)
{
    if (!strcmp(luaL_checkstring(L, 2), "images"))
        return lua_pushinteger(L, an_denoiser_context_images(an_check_handle(L, 1, AN_CONTEXT))), 1;
    return an_index_method(L);
}

static void close_context(lua_State *L, void *c)
{
    (void)L;
    an_denoiser_context_release(c);
}

static int push_text(lua_State *L, void *c)
{
    lua_pushfstring(L, "Context: %I images", (lua_Integer)an_denoiser_context_images(c));
    return 1;
}

static const luaL_Reg meta[] = {{"__index", context_index}, {NULL, NULL}};

static const an_class context_class = {
    .name = AN_CONTEXT, .close = close_context, .text = push_text, .meta = meta};

void an_add_context_class(lua_State *L)
{
    an_define_class(L, &context_class);
}
