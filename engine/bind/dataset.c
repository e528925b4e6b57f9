/* dataset (Lua): core.data and the Dataset class, over data/dataset.h.
 *
 * core.data.open{…} takes the complete table that lua/aniso/method/data.lua makes. Fields are made
 * anew at each access; parts are "train", "val", "test"; positions count from 0.
 * core.data.methods is the class's method table, to which Lua may add. */
#include <string.h>

#include "base/integer.h"
#include "bind/tensor_arg.h"
#include "bind/open.h"
#include "data/dataset.h"
#include "tensor/scope.h"

#define DATASET "aniso.Dataset"

static an_dataset *check_dataset(lua_State *L)
{
    return an_check_handle(L, 1, DATASET);
}

static an_part check_part(lua_State *L)
{
    return (an_part)luaL_checkoption(L, 2, NULL, an_part_names);
}

/* ── fields ─────────────────────────────────────────────────────────────────── */

static void set_integer(lua_State *L, const char *key, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void push_classes(lua_State *L, const an_dataset *ds)
{
    lua_createtable(L, ds->list.K, 0);
    for (int k = 0; k < ds->list.K; k++) {
        lua_pushstring(L, ds->list.classes[k]);
        lua_rawseti(L, -2, k + 1);
    }
}

static void push_counts(lua_State *L, const an_dataset *ds, an_part part)
{
    lua_createtable(L, ds->list.K, 0);
    for (int k = 0; k < ds->list.K; k++) {
        lua_pushinteger(L, ds->counts[part][k]);
        lua_rawseti(L, -2, k + 1);
    }
}

static void push_shots(lua_State *L, const an_dataset *ds)
{
    lua_createtable(L, ds->list.K, 0);
    for (int k = 0; k < ds->list.K; k++) {
        an_shot shot = an_shot_of(ds->counts[AN_TRAIN][k], ds->many, ds->few);
        lua_pushstring(L, an_shot_names[shot]);
        lua_rawseti(L, -2, k + 1);
    }
}

static double imbalance(const an_dataset *ds)
{
    int64_t least = ds->counts[AN_TRAIN][0], most = least;
    for (int k = 1; k < ds->list.K; k++) {
        int64_t n = ds->counts[AN_TRAIN][k];
        least = n < least ? n : least, most = n > most ? n : most;
    }
    return (double)most / (double)least; /* an_split_complete() leaves no class empty */
}

static void push_split(lua_State *L, const an_dataset *ds)
{
    lua_newtable(L);
    set_text(L, "name", ds->split_name);
    set_text(L, "sha256", ds->split_sha256);
    set_text(L, "profile", "natural");
    set_integer(L, "seed", (int64_t)ds->seed);
    set_integer(L, "test_is_val", ds->test_is_val);
    set_integer(L, "many", ds->many);
    set_integer(L, "few", ds->few);
    set_integer(L, "group_leaks", ds->group_leaks);
    set_integer(L, "copy_leaks", ds->copy_leaks);
    lua_pushnumber(L, imbalance(ds));
    lua_setfield(L, -2, "imbalance_factor");
    static const char *const names[AN_PARTS] = {
        [AN_TRAIN] = "n_train", [AN_VAL] = "n_val", [AN_TEST] = "n_test"};
    for (int part = 0; part < AN_PARTS; part++) {
        push_counts(L, ds, (an_part)part);
        lua_setfield(L, -2, names[part]);
    }
    push_shots(L, ds);
    lua_setfield(L, -2, "shot");
}

static void push_three(lua_State *L, const float *values)
{
    lua_createtable(L, 3, 0);
    for (int c = 0; c < 3; c++) {
        lua_pushnumber(L, values[c]);
        lua_rawseti(L, -2, c + 1);
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
    else if (!strcmp(key, "K"))
        lua_pushinteger(L, ds->list.K);
    else if (!strcmp(key, "height"))
        lua_pushinteger(L, ds->H);
    else if (!strcmp(key, "width"))
        lua_pushinteger(L, ds->W);
    else if (!strcmp(key, "packed"))
        lua_pushboolean(L, ds->images.map != NULL);
    else if (!strcmp(key, "channels"))
        lua_pushinteger(L, 3);
    else if (!strcmp(key, "classes"))
        push_classes(L, ds);
    else if (!strcmp(key, "counts"))
        push_counts(L, ds, AN_TRAIN);
    else if (!strcmp(key, "split"))
        push_split(L, ds);
    else if (!strcmp(key, "mean"))
        push_three(L, ds->mean);
    else if (!strcmp(key, "std"))
        push_three(L, ds->std);
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

/* ds:order(part, {sampling=, seed=, epoch=, epochs=}) → int64 (n), positions */
static int dataset_order(lua_State *L)
{
    static const char *const known[] = {"sampling", "seed", "epoch", "epochs", NULL};
    an_dataset *ds = check_dataset(L);
    an_part part = check_part(L);
    an_check_keys(L, 3, known);
    an_class_sampling sampling =
        (an_class_sampling)an_opt_enum(L, 3, "sampling", an_class_sampling_names, AN_INSTANCE);
    uint64_t seed = (uint64_t)an_opt_int(L, 3, "seed", 0);
    int64_t epoch = an_opt_within(L, 3, "epoch", 0, 0, AN_COUNT_MAX);
    int64_t epochs = an_opt_within(L, 3, "epochs", 1, 0, AN_COUNT_MAX);
    size_t mark = an_scope_begin();
    an_tensor *out = an_tensor_new(AN_I64, 1, &ds->n[part]);
    if (out && an_dataset_order(ds, part, sampling, seed, epoch, epochs, an_i64(out)) != AN_OK)
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

/* The table `augment` inside the options at `arg`; false if there is none. */
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

/* Argument 3 as a list of positions (an int64 tensor, or first and count, which are within the
 * part); the number of the argument behind them goes to *next. The result is a buffer on Lua's
 * stack. */
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

/* ds:batch(part, positions, options) or ds:batch(part, first, count, options)
 * → images (B, H, W, 3), labels int64 (B); options: augment, seed, epoch */
static int dataset_batch(lua_State *L)
{
    static const char *const known[] = {"augment", "seed", "epoch", NULL};
    an_dataset *ds = check_dataset(L);
    an_part part = check_part(L);
    int next;
    int64_t B;
    const int64_t *positions = check_positions(L, ds, part, &B, &next);
    an_augment how = {0};
    an_check_keys(L, next, known);
    bool augmented = check_augment(L, next, &how);
    uint64_t seed = (uint64_t)an_opt_int(L, next, "seed", 0);
    uint64_t epoch = (uint64_t)an_opt_int(L, next, "epoch", 0);
    size_t mark = an_scope_begin();
    an_tensor *images = an_tensor_new(AN_F32, 4, (int64_t[]){B, ds->H, ds->W, 3});
    an_tensor *labels = an_tensor_new(AN_I64, 1, &B);
    if (images && labels &&
        an_dataset_batch(ds, part, positions, B, augmented ? &how : NULL, seed, epoch,
                         an_f32(images), an_i64(labels)) != AN_OK)
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
    lua_pushfstring(L, "Dataset %s: %d images of %dx%d, %d classes, train %d, val %d, test %d",
                    ds->name, (int)ds->list.n, ds->W, ds->H, ds->list.K, (int)ds->n[AN_TRAIN],
                    (int)ds->n[AN_VAL], (int)ds->n[AN_TEST]);
    return 1;
}

/* The list of texts t[key] as C strings in a buffer on Lua's stack; NULL if it is absent. */
static const char *const *check_texts(lua_State *L, int arg, const char *key, int *count)
{
    *count = 0;
    if (lua_getfield(L, arg, key) == LUA_TNIL)
        return NULL;
    luaL_checktype(L, -1, LUA_TTABLE);
    int list = lua_gettop(L);
    *count = (int)an_min((int64_t)lua_rawlen(L, list), AN_COUNT_MAX);
    const char **texts = lua_newuserdatauv(L, (size_t)*count * sizeof *texts + 1, 0);
    for (int i = 0; i < *count; i++) {
        if (lua_rawgeti(L, list, i + 1) != LUA_TSTRING)
            luaL_error(L, "option data.%s: entry %d is not a text", key, i + 1);
        texts[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return texts;
}

static void check_table(lua_State *L, an_dataset_spec *spec)
{
    spec->table = (an_table){.path = an_opt_str(L, 1, "table", ""),
                             .image = an_opt_str(L, 1, "image", "image"),
                             .label = an_opt_str(L, 1, "label", "label"),
                             .group = an_opt_str(L, 1, "group", NULL),
                             .extension = an_opt_str(L, 1, "extension", "")};
    spec->table.folders = check_texts(L, 1, "folders", &spec->table.folder_count);
}

/* core.data.open{…} → Dataset, or nil, message, code */
static int data_open(lua_State *L)
{
    static const char *const known[] = {
        "source", "name",  "root",      "split",   "n",       "height", "width", "aspect",
        "val",    "test",  "seed",      "many",    "few",     "cache",  "table", "image",
        "label",  "group", "extension", "folders", "classes", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    an_check_keys(L, 1, known);
    an_dataset_spec spec = {
        .source = (an_source)an_opt_enum(L, 1, "source", an_source_names, AN_FROM_FOLDER),
        .name = an_opt_str(L, 1, "name", "images"),
        .root = an_opt_str(L, 1, "root", "."),
        .split = an_opt_str(L, 1, "split", NULL),
        .n = an_opt_within(L, 1, "n", 1400, 0, AN_COUNT_MAX),
        .H = (int)an_opt_within(L, 1, "height", 32, 0, AN_COUNT_MAX),
        .W = (int)an_opt_within(L, 1, "width", 32, 0, AN_COUNT_MAX),
        .aspect = (an_aspect)an_opt_enum(L, 1, "aspect", an_aspect_names, AN_STRETCH),
        .val = an_opt_num(L, 1, "val", 0.1),
        .test = an_opt_num(L, 1, "test", 0.2),
        .seed = (uint64_t)an_opt_int(L, 1, "seed", 0),
        .many = an_opt_int(L, 1, "many", 100),
        .few = an_opt_int(L, 1, "few", 20),
        .cache = an_opt_str(L, 1, "cache", ""),
    };
    spec.classes = check_texts(L, 1, "classes", &spec.K);
    check_table(L, &spec);
    void **handle = an_new_handle(L, DATASET);
    *handle = an_dataset_open(&spec);
    return *handle ? 1 : an_push_failure(L);
}

static const luaL_Reg methods[] = {
    {"n", dataset_n},         {"labels", dataset_labels}, {"keys", dataset_keys},
    {"order", dataset_order}, {"batch", dataset_batch},   {NULL, NULL},
};

static const an_class dataset_class = {.name = DATASET,
                                       .close = close_dataset,
                                       .text = push_text,
                                       .methods = methods,
                                       .field = push_field};

int an_open_data(lua_State *L)
{
    static const luaL_Reg functions[] = {{"open", data_open}, {NULL, NULL}};
    an_define_class(L, &dataset_class);
    luaL_newlib(L, functions);
    luaL_getmetatable(L, DATASET);
    lua_getfield(L, -1, "methods");
    lua_setfield(L, -3, "methods");
    lua_pop(L, 1);
    return 1;
}
