/* features (Lua): core.data.features(path) → the Features class, over data/features.h.
 *
 * Fields: n, tokens, width, type ("float32" …), ids (text, one id per line, or nil). A data set
 * reads the file itself; this class is for its header, and for rows that are in no data set. */
#include "data/features.h"

#include <string.h>

#include "base/integer.h"
#include "base/memory/mem.h"
#include "bind/features.h"
#include "bind/tensor_arg.h"
#include "tensor/scope.h"

#define AN_FEATURES "aniso.Features"
#define MOST_ROWS 65536 /* of one call: a batch */

static int push_field(lua_State *L, void *object, const char *key)
{
    const an_features *f = object;
    if (!strcmp(key, "n"))
        lua_pushinteger(L, f->n);
    else if (!strcmp(key, "tokens"))
        lua_pushinteger(L, f->tokens);
    else if (!strcmp(key, "width"))
        lua_pushinteger(L, f->width);
    else if (!strcmp(key, "type"))
        lua_pushstring(L, an_feature_type_names[f->type]);
    else if (!strcmp(key, "ids"))
        lua_pushstring(L, f->ids); /* nil for NULL */
    else
        return 0;
    return 1;
}

/* features:batch(first, {count=, height=, width=, mean=, std=, rows=}) → images
 * (rows, height, width, D), the `count` rows from `first` (from 0) on, then zeros; {[position] =
 * true} for rows with a non-finite number, which are also 0 */
static int features_batch(lua_State *L)
{
    static const char *const known[] = {"count", "height", "width", "mean", "std", "rows", NULL};
    const an_features *f = an_check_handle(L, 1, AN_FEATURES);
    lua_settop(L, 3);
    int64_t first = an_check_within(L, 2, "first", 0, f->n - 1);
    an_check_keys(L, 3, known);
    int64_t count = an_opt_within(L, 3, "count", 1, 1, an_min(MOST_ROWS, f->n - first));
    int64_t rows = an_max(an_opt_within(L, 3, "rows", 0, 0, MOST_ROWS), count);
    int64_t H = an_opt_within(L, 3, "height", 1, 1, AN_FEATURE_TOKENS);
    int64_t W = an_opt_within(L, 3, "width", f->tokens, 1, AN_FEATURE_TOKENS);
    if (H * W != f->tokens)
        luaL_error(L, "%I tokens are no grid of %Ix%I", (lua_Integer)f->tokens, (lua_Integer)H,
                   (lua_Integer)W);
    const float *mean = an_check_moments(L, 3, "mean", "number", f->width, false);
    const float *std = an_check_moments(L, 3, "std", "number", f->width, true);
    lua_newtable(L);
    int broken = lua_gettop(L);
    size_t mark = an_scope_begin();
    int64_t size = f->tokens * f->width;
    an_tensor *images = an_tensor_zeros(AN_F32, 4, (int64_t[]){rows, H, W, f->width});
    for (int64_t i = 0; images && i < count; i++) {
        float *row = an_f32(images) + i * size;
        if (an_features_row(f, first + i, mean, std, row))
            continue;
        memset(row, 0, (size_t)size * sizeof *row);
        lua_pushboolean(L, 1);
        lua_rawseti(L, broken, i + 1);
    }
    if (images && an_features_unchanged(f) != AN_OK)
        return an_scope_end(mark, NULL), an_push_failure(L);
    an_push_tensor(L, images);
    an_scope_end(mark, NULL);
    lua_pushvalue(L, broken);
    return 2;
}

/* ── life ───────────────────────────────────────────────────────────────────── */

static void close_features(lua_State *L, void *object)
{
    (void)L;
    an_features_close(object);
    an_free(object);
}

static int push_text(lua_State *L, void *object)
{
    const an_features *f = object;
    lua_pushfstring(L, "Features: %I images, %I tokens of %I numbers, %s", (lua_Integer)f->n,
                    (lua_Integer)f->tokens, (lua_Integer)f->width, an_feature_type_names[f->type]);
    return 1;
}

static const luaL_Reg methods[] = {{"batch", features_batch}, {NULL, NULL}};

static const an_class features_class = {.name = AN_FEATURES,
                                        .close = close_features,
                                        .text = push_text,
                                        .methods = methods,
                                        .field = push_field};

void an_define_features(lua_State *L)
{
    an_define_class(L, &features_class);
}

int an_lua_open_features(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    void **handle = an_new_handle(L, AN_FEATURES);
    an_features *f = an_calloc(1, sizeof *f);
    if (!f || an_features_open(f, path) != AN_OK)
        return an_free(f), an_push_failure(L);
    *handle = f;
    return 1;
}
