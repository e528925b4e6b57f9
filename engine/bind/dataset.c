/* dataset (Lua): core.data and the Dataset class, over data/dataset.h.
 *
 * core.data.open{…} is in bind/dataset_open.c. Fields are created at each access, except `facts`;
 * parts are "train", "val", "test"; positions count from 0. core.data.methods is the class's method
 * table, to which Lua may add. */
#include <string.h>

#include "base/integer.h"
#include "bind/dataset.h"
#include "bind/dataset_split.h"
#include "bind/features.h"
#include "bind/open.h"
#include "bind/tensor_arg.h"
#include "data/dataset.h"
#include "tensor/scope.h"

static an_dataset *check_dataset(lua_State *L)
{
    return an_check_handle(L, 1, AN_DATASET);
}

static an_part check_part(lua_State *L)
{
    return (an_part)luaL_checkoption(L, 2, NULL, an_part_names);
}

/* ── fields ─────────────────────────────────────────────────────────────────── */

static void push_classes(lua_State *L, const an_dataset *ds)
{
    lua_createtable(L, ds->list.K, 0);
    for (int k = 0; k < ds->list.K; k++) {
        lua_pushstring(L, ds->list.classes[k]);
        lua_rawseti(L, -2, k + 1);
    }
}

/* The moments per channel, of pixels or of features. */
static void push_moments(lua_State *L, const an_dataset *ds, const float *pixels,
                         const float *features)
{
    const float *values = ds->features.values ? features : pixels;
    lua_createtable(L, ds->channels, 0);
    for (int c = 0; c < ds->channels; c++) {
        lua_pushnumber(L, values[c]);
        lua_rawseti(L, -2, c + 1);
    }
}

/* The folds that came with the data, from 0, in the order of the listing; nil if an image lacks
 * one. */
static void push_folds(lua_State *L, const an_dataset *ds)
{
    lua_createtable(L, (int)ds->list.n, 0);
    for (int64_t i = 0; i < ds->list.n; i++) {
        if (ds->list.items[i].fold == 0) {
            lua_pop(L, 1);
            lua_pushnil(L);
            return;
        }
        lua_pushinteger(L, ds->list.items[i].fold - 1);
        lua_rawseti(L, -2, i + 1);
    }
}

/* Images per part in the container; nil for other sets. */
static void push_official(lua_State *L, const an_dataset *ds)
{
    if (ds->official[AN_TRAIN] == 0) {
        lua_pushnil(L);
        return;
    }
    lua_newtable(L);
    for (int part = 0; part < AN_PARTS; part++) {
        lua_pushinteger(L, ds->official[part]);
        lua_setfield(L, -2, an_part_names[part]);
    }
}

static int push_field(lua_State *L, void *object, const char *key)
{
    const an_dataset *ds = object;
    if (!strcmp(key, "name"))
        lua_pushstring(L, ds->name);
    else if (!strcmp(key, "source"))
        lua_pushstring(L, ds->list.source);
    else if (!strcmp(key, "sha256"))
        lua_pushstring(L, ds->sha256);
    else if (!strcmp(key, "earlier_sha256"))
        lua_pushstring(L, ds->earlier_sha256);
    else if (!strcmp(key, "K"))
        lua_pushinteger(L, ds->list.K);
    else if (!strcmp(key, "height"))
        lua_pushinteger(L, ds->H);
    else if (!strcmp(key, "width"))
        lua_pushinteger(L, ds->W);
    else if (!strcmp(key, "packed"))
        lua_pushboolean(L, ds->images.map != NULL);
    else if (!strcmp(key, "channels"))
        lua_pushinteger(L, ds->channels);
    else if (!strcmp(key, "number_type") && ds->features.values)
        lua_pushstring(L, an_feature_type_names[ds->features.type]);
    else if (!strcmp(key, "unordered"))
        lua_pushboolean(L, ds->unordered);
    else if (!strcmp(key, "classes"))
        push_classes(L, ds);
    else if (!strcmp(key, "counts"))
        an_push_class_counts(L, ds, AN_TRAIN);
    else if (!strcmp(key, "split"))
        an_push_split(L, ds);
    else if (!strcmp(key, "folds"))
        push_folds(L, ds);
    else if (!strcmp(key, "facts"))
        lua_getiuservalue(L, 1, 1);
    else if (!strcmp(key, "official"))
        push_official(L, ds);
    else if (!strcmp(key, "missing"))
        lua_pushinteger(L, ds->missing);
    else if (!strcmp(key, "damaged"))
        lua_pushinteger(L, ds->images.damaged);
    else if (!strcmp(key, "mean"))
        push_moments(L, ds, ds->mean, ds->feature_mean);
    else if (!strcmp(key, "std"))
        push_moments(L, ds, ds->std, ds->feature_std);
    else
        return 0;
    return 1;
}

/* ── methods ────────────────────────────────────────────────────────────────── */

/* ds:n(part) → how many images */
static int dataset_n(lua_State *L)
{
    an_dataset *ds = check_dataset(L);
    lua_pushinteger(L, ds->n[check_part(L)]);
    return 1;
}

/* ds:labels(part) → int64 (n), classes 0 … K−1 */
static int dataset_labels(lua_State *L)
{
    an_dataset *ds = check_dataset(L);
    an_part part = check_part(L);
    size_t mark = an_scope_begin();
    an_tensor *labels = an_tensor_new(AN_I64, 1, &ds->n[part]);
    for (int64_t i = 0; labels && i < ds->n[part]; i++)
        an_i64(labels)[i] = an_dataset_label(ds, part, i);
    an_push_tensor(L, labels);
    an_scope_end(mark, NULL);
    return 1;
}

/* ds:clusters(part) → list of n numbers, equal for images that belong together: those of one
 * group (a lesion, a patient), and copies */
static int dataset_clusters(lua_State *L)
{
    an_dataset *ds = check_dataset(L);
    an_part part = check_part(L);
    int64_t *cluster = lua_newuserdatauv(L, (size_t)ds->n[part] * sizeof *cluster + 1, 0);
    if (an_dataset_clusters(ds, part, cluster) != AN_OK)
        return an_push_failure(L);
    lua_createtable(L, (int)ds->n[part], 0);
    for (int64_t i = 0; i < ds->n[part]; i++) {
        lua_pushinteger(L, cluster[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ds:keys(part) → list of image names */
static int dataset_keys(lua_State *L)
{
    an_dataset *ds = check_dataset(L);
    an_part part = check_part(L);
    lua_createtable(L, (int)ds->n[part], 0);
    for (int64_t i = 0; i < ds->n[part]; i++) {
        lua_pushstring(L, an_dataset_item(ds, part, i)->key);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ds:order(part, {sampling=, seed=, epoch=, first=, epochs=}) → int64 (n), positions */
static int dataset_order(lua_State *L)
{
    static const char *const known[] = {"sampling", "seed", "epoch", "first", "epochs", NULL};
    an_dataset *ds = check_dataset(L);
    an_part part = check_part(L);
    an_check_keys(L, 3, known);
    an_class_sampling sampling =
        (an_class_sampling)an_opt_enum(L, 3, "sampling", an_class_sampling_names, AN_INSTANCE);
    uint64_t seed = (uint64_t)an_opt_int(L, 3, "seed", 0);
    int64_t epoch = an_opt_within(L, 3, "epoch", 0, 0, AN_COUNT_MAX);
    int64_t first = an_opt_within(L, 3, "first", 0, 0, AN_COUNT_MAX);
    int64_t epochs = an_opt_within(L, 3, "epochs", 1, 0, AN_COUNT_MAX);
    size_t mark = an_scope_begin();
    an_tensor *out = an_tensor_new(AN_I64, 1, &ds->n[part]);
    if (out &&
        an_dataset_order(ds, part, sampling, seed, epoch, first, epochs, an_i64(out)) != AN_OK)
        out = NULL;
    an_push_tensor(L, out);
    an_scope_end(mark, NULL);
    return 1;
}

static void check_flip(lua_State *L, int arg, an_augment *how)
{
    enum { HORIZONTAL = 1, VERTICAL = 2, BOTH = HORIZONTAL | VERTICAL };
    static const char *const names[BOTH + 2] = {
        "none", [HORIZONTAL] = "horizontal", [VERTICAL] = "vertical", [BOTH] = "both"};
    int type = lua_getfield(L, arg, "flip");
    int bits = lua_toboolean(L, -1) ? BOTH : 0;
    lua_pop(L, 1);
    if (type == LUA_TSTRING)
        bits = an_opt_enum(L, arg, "flip", names, 0);
    how->flip_horizontal = bits & HORIZONTAL, how->flip_vertical = bits & VERTICAL;
}

/* The table `augment` within the options at `arg`; false if there is none. */
static bool check_augment(lua_State *L, int arg, an_augment *how)
{
    static const char *const known[] = {"flip",     "transpose", "shift", "crop", "brightness",
                                        "contrast", "colour",    "noise", NULL};
    if (lua_isnoneornil(L, arg))
        return false;
    luaL_checktype(L, arg, LUA_TTABLE);
    bool given = lua_getfield(L, arg, "augment") == LUA_TTABLE;
    if (given) {
        int at = lua_gettop(L);
        an_check_keys(L, at, known);
        check_flip(L, at, how);
        how->transpose = an_opt_bool(L, at, "transpose", false);
        how->shift = (int)an_opt_within(L, at, "shift", 0, 0, AN_AUGMENT_FARTHEST);
        how->crop = (int)an_opt_within(L, at, "crop", 0, 0, AN_AUGMENT_FARTHEST);
        how->brightness = (float)an_opt_num(L, at, "brightness", 0);
        how->contrast = (float)an_opt_num(L, at, "contrast", 0);
        how->colour = (float)an_opt_num(L, at, "colour", 0);
        how->noise = (float)an_opt_num(L, at, "noise", 0);
    }
    lua_pop(L, 1);
    return given;
}

/* Argument 3 as a list of positions (an int64 tensor, or first and count, within the part); *next
 * receives the index of the argument after them. The result is a buffer on Lua's stack. */
static const int64_t *check_positions(lua_State *L, const an_dataset *ds, an_part part,
                                      int64_t *count, int *next)
{
    void **handle = luaL_testudata(L, 3, AN_TENSOR);
    an_tensor *x = handle ? an_check_tensor(L, 3) : NULL;
    int64_t first = x ? 0 : an_check_within(L, 3, "first", 0, AN_COUNT_MAX);
    *next = x ? 4 : 5;
    *count = x ? an_numel(x) : an_check_within(L, 4, "count", 1, AN_COUNT_MAX);
    if (!x && first + *count > ds->n[part])
        luaL_error(L, "first = %I, count = %I: outside the %s part of %I images",
                   (lua_Integer)first, (lua_Integer)*count, an_part_names[part],
                   (lua_Integer)ds->n[part]);
    if (x && (x->dtype != AN_I64 || x->ndim != 1))
        luaL_argerror(L, 3, "expected an int64 tensor of one dimension");
    luaL_argcheck(L, *count >= 1, 3, "at least one image expected");
    lua_settop(L, *next);
    int64_t *positions = lua_newuserdatauv(L, (size_t)*count * sizeof *positions, 0);
    for (int64_t i = 0; i < *count; i++)
        positions[i] = x ? an_i64(x)[i * x->stride[0]] : first + i;
    return positions;
}

/* The table `normalise` within the options at `arg`; false if there is none. */
static bool check_normalisation(lua_State *L, int arg, an_normalisation *by)
{
    static const char *const known[] = {"mean", "std", NULL};
    if (lua_isnoneornil(L, arg))
        return false;
    int type = lua_getfield(L, arg, "normalise"), at = lua_gettop(L);
    if (type != LUA_TNIL) {
        luaL_checktype(L, at, LUA_TTABLE);
        an_check_keys(L, at, known);
        an_check_channels(L, at, "mean", false, by->mean);
        an_check_channels(L, at, "std", true, by->std);
    }
    lua_settop(L, at - 1);
    return type != LUA_TNIL;
}

/* ds:batch(part, positions, options) or ds:batch(part, first, count, options) → images
 * (B, H, W, channels), labels int64 (B); options: augment, seed, epoch, normalise = {mean =, std =}
 * for three channels, by default those of the training part */
static int dataset_batch(lua_State *L)
{
    static const char *const known[] = {"augment", "seed", "epoch", "normalise", NULL};
    an_dataset *ds = check_dataset(L);
    an_part part = check_part(L);
    int next;
    int64_t B;
    const int64_t *positions = check_positions(L, ds, part, &B, &next);
    an_augment how = {0};
    an_check_keys(L, next, known);
    bool augmented = check_augment(L, next, &how);
    an_normalisation by;
    bool normalised = check_normalisation(L, next, &by);
    uint64_t seed = (uint64_t)an_opt_int(L, next, "seed", 0);
    uint64_t epoch = (uint64_t)an_opt_int(L, next, "epoch", 0);
    size_t mark = an_scope_begin();
    an_tensor *images = an_tensor_new(AN_F32, 4, (int64_t[]){B, ds->H, ds->W, ds->channels});
    an_tensor *labels = an_tensor_new(AN_I64, 1, &B);
    if (images && labels &&
        an_dataset_batch(ds, part, positions, B, augmented ? &how : NULL, normalised ? &by : NULL,
                         seed, epoch, an_f32(images), an_i64(labels)) != AN_OK)
        images = NULL;
    an_push_tensor(L, labels ? images : NULL);
    an_push_tensor(L, labels);
    an_scope_end(mark, NULL);
    return 2;
}

/* ── life ───────────────────────────────────────────────────────────────────── */

static void close_dataset(lua_State *L, void *ds)
{
    (void)L;
    an_dataset_close(ds);
}

static int push_text(lua_State *L, void *object)
{
    const an_dataset *ds = object;
    const char *unit = ds->features.values ? " tokens" : "";
    lua_pushfstring(L, "Dataset %s: %d images of %dx%d%s, %d classes, train %d, val %d, test %d",
                    ds->name, (int)ds->list.n, ds->W, ds->H, unit, ds->list.K, (int)ds->n[AN_TRAIN],
                    (int)ds->n[AN_VAL], (int)ds->n[AN_TEST]);
    return 1;
}

static const luaL_Reg methods[] = {
    {"n", dataset_n},
    {"labels", dataset_labels},
    {"keys", dataset_keys},
    {"order", dataset_order},
    {"batch", dataset_batch},
    {"clusters", dataset_clusters},
    {NULL, NULL},
};

static const an_class dataset_class = {.name = AN_DATASET,
                                       .close = close_dataset,
                                       .text = push_text,
                                       .methods = methods,
                                       .field = push_field};

int an_open_data(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", an_lua_open_dataset},   {"read_images", an_lua_read_images},
        {"survey", an_lua_survey},       {"features", an_lua_open_features},
        {"write_png", an_lua_write_png}, {NULL, NULL}};
    an_define_class(L, &dataset_class);
    an_define_features(L);
    luaL_newlib(L, functions);
    luaL_getmetatable(L, AN_DATASET);
    lua_getfield(L, -1, "methods");
    lua_setfield(L, -3, "methods");
    lua_pop(L, 1);
    return 1;
}
