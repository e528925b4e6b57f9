/* context (Lua): the Context class, what a denoiser keeps of a batch of images between its passes.
 * Created by denoiser:encode(). Field: c.images, the number of images. */
#include <string.h>

#include "bind/bind.h"
#include "bind/model.h"
#include "model/denoiser.h"

static int push_field(lua_State *L, void *c, const char *key)
{
    if (strcmp(key, "images") != 0)
        return 0;
    lua_pushinteger(L, an_denoiser_context_images(c));
    return 1;
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

static const an_class context_class = {
    .name = AN_CONTEXT, .close = close_context, .text = push_text, .field = push_field};

void an_add_context_class(lua_State *L)
{
    an_define_class(L, &context_class);
}
