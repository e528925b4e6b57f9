/* dataset_split (Lua): the field `split` of a Dataset. */
#include "bind/dataset_split.h"

#include "bind/bind.h"

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

void an_push_class_counts(lua_State *L, const an_dataset *ds, an_part part)
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
        lua_pushstring(L, an_shot_names[ds->shot[k]]);
        lua_rawseti(L, -2, k + 1);
    }
}

static void set_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

/* Sets t[key] to the names of the classes in a group. */
static void set_members(lua_State *L, const char *key, const an_dataset *ds, an_shot end)
{
    lua_newtable(L);
    for (int k = 0, n = 0; k < ds->list.K; k++) {
        if (ds->shot[k] != end)
            continue;
        lua_pushstring(L, ds->list.classes[k]);
        lua_rawseti(L, -2, ++n);
    }
    lua_setfield(L, -2, key);
}

/* The rule for the groups, in the form of the option data.groups. */
static void push_group_rule(lua_State *L, const an_dataset *ds)
{
    const an_group_rule *rule = &ds->groups;
    lua_newtable(L);
    lua_pushstring(L, an_group_kind_names[rule->kind]);
    lua_rawseti(L, -2, 1);
    if (rule->kind == AN_BY_RATIO) {
        set_number(L, "head", rule->head);
        set_number(L, "tail", rule->tail);
    } else if (rule->kind == AN_BY_COUNTS) {
        set_number(L, "many", rule->many);
        set_number(L, "few", rule->few);
    } else {
        set_members(L, "head", ds, AN_MANY);
        set_members(L, "tail", ds, AN_FEW);
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

void an_push_split(lua_State *L, const an_dataset *ds)
{
    lua_newtable(L);
    set_text(L, "name", ds->split_name);
    set_text(L, "sha256", ds->split_sha256);
    set_text(L, "profile", an_profile_names[ds->profile]);
    set_integer(L, "before_tail", ds->before_tail);
    set_integer(L, "seed", (int64_t)ds->seed);
    set_integer(L, "test_is_val", ds->test_is_val);
    push_group_rule(L, ds);
    lua_setfield(L, -2, "groups");
    if (ds->fold.folds > 0) {
        set_integer(L, "folds", ds->fold.folds);
        set_integer(L, "fold", ds->fold.fold);
        set_text(L, "fold_set", ds->fold_set);
    }
    set_integer(L, "group_leaks", ds->group_leaks);
    set_integer(L, "copy_leaks", ds->copy_leaks);
    set_integer(L, "conflicts", ds->conflicts);
    lua_createtable(L, 2, 0);
    for (int i = 0; i < 2 && ds->conflict[i]; i++) {
        lua_pushstring(L, ds->conflict[i]->key);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "conflict");
    lua_pushnumber(L, imbalance(ds));
    lua_setfield(L, -2, "imbalance_factor");
    static const char *const names[AN_PARTS] = {
        [AN_TRAIN] = "n_train", [AN_VAL] = "n_val", [AN_TEST] = "n_test"};
    for (int part = 0; part < AN_PARTS; part++) {
        an_push_class_counts(L, ds, (an_part)part);
        lua_setfield(L, -2, names[part]);
    }
    push_shots(L, ds);
    lua_setfield(L, -2, "shot");
}
