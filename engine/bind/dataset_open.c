/* dataset_open (Lua): core.data.open{…} takes the complete table that lua/aniso/method/data.lua
 * makes. The field `facts` is a Lua table, which the Dataset keeps and returns unchanged. */
#include <string.h>

#include "base/integer.h"
#include "bind/bind.h"
#include "bind/dataset.h"
#include "bind/dataset_options.h"
#include "data/dataset.h"

/* The list in field `key` of the table at `arg` as C strings in a buffer on Lua's stack; NULL if it
 * is absent. n < 0: any length, which *count receives; otherwise it must have n entries. */
static const char *const *check_texts(lua_State *L, int arg, const char *key, int64_t n,
                                      int64_t *count)
{
    if (count)
        *count = 0;
    if (lua_getfield(L, arg, key) == LUA_TNIL)
        return NULL;
    luaL_checktype(L, -1, LUA_TTABLE);
    int list = lua_gettop(L);
    int64_t length = luaL_len(L, list);
    if (n >= 0 && length != n)
        luaL_error(L, "option data.%s has %I entries, expected %I", key, (lua_Integer)length,
                   (lua_Integer)n);
    const char **texts = lua_newuserdatauv(L, (size_t)length * sizeof *texts + 1, 0);
    for (int64_t i = 0; i < length; i++) {
        if (lua_geti(L, list, i + 1) != LUA_TSTRING)
            luaL_error(L, "option data.%s: entry %I is not a string", key, (lua_Integer)i + 1);
        texts[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    if (count)
        *count = length;
    return texts;
}

/* The list of n integers in lo … hi in field `key`, in a buffer on Lua's stack; NULL if absent. */
static const int64_t *check_integers(lua_State *L, int arg, const char *key, int64_t n, int64_t lo,
                                     int64_t hi)
{
    if (lua_getfield(L, arg, key) == LUA_TNIL)
        return NULL;
    luaL_checktype(L, -1, LUA_TTABLE);
    int list = lua_gettop(L);
    if (luaL_len(L, list) != n)
        luaL_error(L, "option data.%s has %I entries, expected %I", key, luaL_len(L, list),
                   (lua_Integer)n);
    int64_t *numbers = lua_newuserdatauv(L, (size_t)n * sizeof *numbers + 1, 0);
    for (int64_t i = 0; i < n; i++) {
        int whole;
        lua_geti(L, list, i + 1);
        numbers[i] = lua_tointegerx(L, -1, &whole);
        if (!whole || numbers[i] < lo || numbers[i] > hi)
            luaL_error(L, "option data.%s: entry %I is not a whole number from %I to %I", key,
                       (lua_Integer)i + 1, (lua_Integer)lo, (lua_Integer)hi);
        lua_pop(L, 1);
    }
    return numbers;
}

/* The parts, given as names; "unused" means none of them. */
static const int64_t *check_parts(lua_State *L, int arg, int64_t n)
{
    static const char *const names[] = {
        [AN_TRAIN] = "train", [AN_VAL] = "val", [AN_TEST] = "test", [AN_UNUSED] = "unused", NULL};
    const char *const *given = check_texts(L, arg, "part", n, NULL);
    if (!given)
        return NULL;
    int64_t *parts = lua_newuserdatauv(L, (size_t)n * sizeof *parts + 1, 0);
    for (int64_t i = 0; i < n; i++) {
        parts[i] = 0;
        while (names[parts[i]] && strcmp(names[parts[i]], given[i]) != 0)
            parts[i]++;
        if (!names[parts[i]])
            luaL_error(L, "option data.part: entry %I is not a part", (lua_Integer)i + 1);
    }
    return parts;
}

/* Everything pushed stays on the stack while `rows` is in use. */
static void check_rows(lua_State *L, an_image_rows *rows)
{
    int64_t folders;
    luaL_checkstack(L, 32, "data.rows");
    *rows = (an_image_rows){.source = an_opt_str(L, 1, "origin", ""),
                            .root = an_opt_str(L, 1, "root", "."),
                            .extension = an_opt_str(L, 1, "extension", ""),
                            .skip_missing = an_opt_bool(L, 1, "skip_missing", false)};
    rows->folders = check_texts(L, 1, "folders", -1, &folders);
    rows->folder_count = (int)folders;
    if (lua_getfield(L, 1, "rows") != LUA_TTABLE)
        luaL_error(L, "option data.rows is not a table");
    int at = lua_gettop(L);
    rows->key = check_texts(L, at, "key", -1, &rows->n);
    if (rows->n < 1)
        luaL_error(L, "option data.rows is empty: expected at least one row");
    rows->class_name = check_texts(L, at, "class", rows->n, NULL);
    if (!rows->class_name)
        luaL_error(L, "option data.rows has no classes");
    rows->file = check_texts(L, at, "file", rows->n, NULL);
    rows->group = check_texts(L, at, "group", rows->n, NULL);
    rows->line = check_integers(L, at, "line", rows->n, 0, INT64_MAX);
    rows->part = check_parts(L, at, rows->n);
    rows->fold = check_integers(L, at, "fold", rows->n, 0, INT32_MAX);
}

/* The rows of the file of features, rows.row, in a buffer on Lua's stack. */
static const int64_t *check_feature_rows(lua_State *L, int64_t n)
{
    lua_getfield(L, 1, "rows");
    const int64_t *rows = check_integers(L, lua_gettop(L), "row", n, 0, INT64_MAX);
    if (!rows)
        luaL_error(L, "option data.rows has no list row");
    return rows;
}

/* The rule for the groups, from the flattened options data.groups; `groups` is its kind. */
static void check_groups(lua_State *L, an_group_rule *rule)
{
    int64_t head, tail;
    rule->kind = (an_group_kind)an_opt_enum(L, 1, "groups", an_group_kind_names, AN_BY_RATIO);
    rule->head = an_opt_num(L, 1, "head", 5), rule->tail = an_opt_num(L, 1, "tail", 20);
    rule->many = an_opt_num(L, 1, "many", 100), rule->few = an_opt_num(L, 1, "few", 20);
    rule->head_names = check_texts(L, 1, "head_classes", -1, &head);
    rule->tail_names = check_texts(L, 1, "tail_classes", -1, &tail);
    rule->head_count = (int)head, rule->tail_count = (int)tail;
}

int an_lua_open_dataset(lua_State *L)
{
    static const char *const known[] = {"source",
                                        "name",
                                        "split_name",
                                        "n",
                                        "container",
                                        "height",
                                        "width",
                                        "aspect",
                                        "val",
                                        "test",
                                        "seed",
                                        "folds",
                                        "fold",
                                        "official_folds",
                                        "cache",
                                        "facts",
                                        "classes",
                                        "published",
                                        "long_tail",
                                        "groups",
                                        "head",
                                        "tail",
                                        "many",
                                        "few",
                                        "head_classes",
                                        "tail_classes",
                                        "origin",
                                        "root",
                                        "rows",
                                        "divide_groups",
                                        "folders",
                                        "extension",
                                        "skip_missing",
                                        "damaged",
                                        "normalise",
                                        "unordered",
                                        NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    an_check_keys(L, 1, known);
    an_dataset_spec spec = {
        .source = (an_source)an_opt_enum(L, 1, "source", an_source_names, AN_FROM_ROWS),
        .name = an_opt_str(L, 1, "name", "images"),
        .split_name = an_opt_str(L, 1, "split_name", "ready-made"),
        .n = an_opt_within(L, 1, "n", 1400, 0, AN_COUNT_MAX),
        .container = an_opt_str(L, 1, "container", "."),
        .H = (int)an_opt_within(L, 1, "height", 32, 0, AN_COUNT_MAX),
        .W = (int)an_opt_within(L, 1, "width", 32, 0, AN_COUNT_MAX),
        .aspect = (an_aspect)an_opt_enum(L, 1, "aspect", an_aspect_names, AN_STRETCH),
        .damage = (an_damage_policy)an_opt_enum(L, 1, "damaged", an_damage_policy_names,
                                                AN_DAMAGED_REFUSE),
        .val = an_opt_num(L, 1, "val", 0.1),
        .test = an_opt_num(L, 1, "test", 0.2),
        .seed = (uint64_t)an_opt_int(L, 1, "seed", 0),
        .fold = {.folds = (int)an_opt_within(L, 1, "folds", 0, 0, AN_COUNT_MAX),
                 .fold = (int)an_opt_within(L, 1, "fold", 0, 0, AN_COUNT_MAX),
                 .official = an_opt_bool(L, 1, "official_folds", false)},
        .divide_groups = an_opt_bool(L, 1, "divide_groups", false),
        .cache = an_opt_str(L, 1, "cache", ""),
        .unordered = an_opt_bool(L, 1, "unordered", false),
        .normalise = an_opt_bool(L, 1, "normalise", true),
    };
    int64_t K;
    spec.classes = check_texts(L, 1, "classes", -1, &K);
    spec.K = (int)K;
    an_check_long_tail(L, 1, &spec.long_tail);
    check_groups(L, &spec.groups);
    if (spec.source == AN_FROM_ROWS || spec.source == AN_FROM_FEATURES)
        check_rows(L, &spec.rows);
    if (spec.source == AN_FROM_FEATURES)
        spec.feature_row = check_feature_rows(L, spec.rows.n);
    void **handle = an_new_handle(L, AN_DATASET);
    lua_getfield(L, 1, "facts");
    lua_setiuservalue(L, -2, 1);
    *handle = an_dataset_open(&spec);
    return *handle ? 1 : an_push_failure(L);
}
