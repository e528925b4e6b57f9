/* image_files (Lua): core.data.read_images over data/image_files.h, and core.data.write_png. */
#include "data/image_files.h"

#include <math.h>
#include <string.h>

#include "base/integer.h"
#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/dataset.h"
#include "bind/tensor_arg.h"
#include "data/decoded_image.h"
#include "data/encode_png.h"
#include "tensor/scope.h"

#define MOST_FILES 65536 /* of one call: a batch */

/* The list of paths at argument 1, in a buffer on Lua's stack. */
static const char **check_paths(lua_State *L, int64_t *n)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    *n = (int64_t)lua_rawlen(L, 1);
    luaL_argcheck(L, *n >= 1 && *n <= MOST_FILES, 1, "a list of 1 to 65536 paths expected");
    const char **paths = lua_newuserdatauv(L, (size_t)*n * sizeof *paths, 0);
    for (int64_t i = 0; i < *n; i++) {
        if (lua_rawgeti(L, 1, i + 1) != LUA_TSTRING)
            luaL_error(L, "path %I is not a string", (lua_Integer)i + 1);
        paths[i] = lua_tostring(L, -1); /* valid as long as the list */
        lua_pop(L, 1);
    }
    return paths;
}

void an_check_channels(lua_State *L, int arg, const char *key, bool positive, float out[3])
{
    memcpy(out, an_check_moments(L, arg, key, "channel", 3, positive), 3 * sizeof *out);
}

/* Pushes {[position] = reason} for the images that could not be read; frees the reasons. */
static void push_reasons(lua_State *L, char **why, int64_t n)
{
    lua_newtable(L);
    for (int64_t i = 0; i < n; i++) {
        if (!why[i])
            continue;
        lua_pushstring(L, why[i]);
        lua_rawseti(L, -2, i + 1);
        an_free(why[i]);
        why[i] = NULL;
    }
}

/* read_images(paths, {height=, width=, aspect=, damaged=, mean=, std=, rows=}) → images
 * (rows, H, W, 3), {[position] = reason} for those that could not be read; rows: 0, or at least the
 * number of paths; rows beyond the paths are 0 */
int an_lua_read_images(lua_State *L)
{
    static const char *const known[] = {"height", "width", "aspect", "damaged",
                                        "mean",   "std",   "rows",   NULL};
    int64_t n;
    lua_settop(L, 2);
    an_check_keys(L, 2, known);
    an_input_form form = {
        .H = (int)an_opt_within(L, 2, "height", 32, 1, 1024),
        .W = (int)an_opt_within(L, 2, "width", 32, 1, 1024),
        .aspect = (an_aspect)an_opt_enum(L, 2, "aspect", an_aspect_names, AN_STRETCH),
        .damage = (an_damage_policy)an_opt_enum(L, 2, "damaged", an_damage_policy_names,
                                                AN_DAMAGED_REFUSE),
    };
    an_check_channels(L, 2, "mean", false, form.mean);
    an_check_channels(L, 2, "std", true, form.std);
    const char **paths = check_paths(L, &n);
    int64_t rows = an_max(an_opt_within(L, 2, "rows", 0, 0, MOST_FILES), n);
    char **why = lua_newuserdatauv(L, (size_t)n * sizeof *why, 0);
    size_t mark = an_scope_begin();
    an_tensor *images = an_tensor_new(AN_F32, 4, (int64_t[]){rows, form.H, form.W, 3});
    int64_t size = (int64_t)form.H * form.W * 3;
    if (images)
        memset(an_f32(images) + n * size, 0, (size_t)((rows - n) * size) * sizeof(float));
    if (images && an_image_files_read(paths, n, &form, an_f32(images), why) != AN_OK)
        images = NULL;
    an_push_tensor(L, images);
    an_scope_end(mark, NULL);
    push_reasons(L, why, n);
    return 2;
}

/* write_png(path, picture (H, W, 3) of values in [0, 1]) → true; values outside are clamped */
int an_lua_write_png(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    an_tensor *x = an_check_tensor(L, 2);
    luaL_argcheck(L, x->dtype == AN_F32 && x->ndim == 3 && x->shape[2] == 3, 2,
                  "a float32 tensor (H, W, 3) expected");
    luaL_argcheck(L,
                  x->shape[0] >= 1 && x->shape[0] <= AN_IMAGE_SIDE && x->shape[1] >= 1 &&
                      x->shape[1] <= AN_IMAGE_SIDE,
                  2, "1 to 16384 pixels a side expected");
    int height = (int)x->shape[0], width = (int)x->shape[1];
    uint8_t *pixels = lua_newuserdatauv(L, (size_t)height * (size_t)width * 3, 0), *to = pixels;
    for (int y = 0; y < height; y++)
        for (int k = 0; k < 3 * width; k++) {
            float v = an_f32(x)[y * x->stride[0] + k / 3 * x->stride[1] + k % 3 * x->stride[2]];
            *to++ = (uint8_t)(255 * fminf(fmaxf(v, 0), 1) + 0.5f); /* NaN is 0 */
        }
    if (an_png_write(path, pixels, height, width) != AN_OK)
        return an_push_failure(L);
    lua_pushboolean(L, 1);
    return 1;
}
