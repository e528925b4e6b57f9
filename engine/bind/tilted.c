/* tilted (Lua): core.tilted, the classes that stored predictions call when they are tilted
 * (METHOD §2). */
#include <stdint.h>
#include <string.h>

#include "bind/index_list.h"
#include "bind/open.h"
#include "bind/prob_rows.h"
#include "bind/shot_groups.h"
#include "bind/tensor_arg.h"
#include "bind/tilted_class.h"

static double *push_doubles(lua_State *L, int64_t count)
{
    return lua_newuserdatauv(L, (size_t)count * sizeof(double), 0);
}

/* Pushes the field `name` of the part at index `part`; → its index. */
static int field_of_part(lua_State *L, int part, const char *name)
{
    luaL_argcheck(L, lua_getfield(L, part, name) != LUA_TNIL, 1,
                  "probs, true_idx and log_shares expected in each part");
    return lua_gettop(L);
}

/* Counts the images of the part on the top of the stack; support (K): the images of each class;
 * row: K numbers. */
static void count_part(lua_State *L, an_tilts *of, double *row, int64_t *correct, int64_t *support)
{
    const int part = lua_gettop(L);
    luaL_argcheck(L, lua_istable(L, part), 1, "a list of parts expected");
    const int true_idx = field_of_part(L, part, "true_idx");
    luaL_argcheck(L, lua_istable(L, true_idx), 1, "a list true_idx expected in each part");
    const int64_t N = (int64_t)lua_rawlen(L, true_idx);
    const int32_t *truth = an_check_indices(L, true_idx, N, 0, of->K - 1);
    of->shares = an_check_doubles(L, field_of_part(L, part, "log_shares"), of->K, NULL);
    const an_prob_rows rows = an_check_prob_rows(L, field_of_part(L, part, "probs"), 1, of->K);
    luaL_argcheck(L, rows.N == N, 1, "a row per image expected in each part");
    an_tilts_prepare(of);
    for (int64_t i = 0; i < N; i++) {
        an_prob_row(&rows, i, row);
        support[truth[i]]++;
        an_tilts_count(of, row, truth[i], correct);
    }
    lua_settop(L, part);
}

/* Pushes the mean recall over a group's classes with images; false if there are none. */
static void push_recall(lua_State *L, const int64_t *correct, const int64_t *support,
                        const int *groups, int group, int64_t K)
{
    double sum = 0;
    int64_t classes = 0;
    for (int64_t k = 0; k < K; k++)
        if (groups[k] == group && support[k] > 0) {
            sum += (double)correct[k] / (double)support[k];
            classes++;
        }
    if (classes > 0)
        lua_pushnumber(L, sum / (double)classes);
    else
        lua_pushboolean(L, false);
}

/* Sums the differences along the tilts, and pushes the recalls of each group at each tilt. */
static void push_recalls(lua_State *L, const an_tilts *of, int64_t *correct, const int64_t *support,
                         const int *groups)
{
    for (int64_t i = of->K; i < of->tilts * of->K; i++)
        correct[i] += correct[i - of->K];
    lua_createtable(L, 0, AN_GROUPS - AN_MANY);
    for (int g = AN_MANY; g < AN_GROUPS; g++) {
        lua_createtable(L, (int)of->tilts, 0);
        for (int64_t t = 0; t < of->tilts; t++) {
            push_recall(L, correct + t * of->K, support, groups, g, of->K);
            lua_rawseti(L, -2, t + 1);
        }
        lua_setfield(L, -2, an_group_names[g]);
    }
}

/* `count` zeros in a buffer on Lua's stack. */
static int64_t *push_zeros(lua_State *L, int64_t count)
{
    const size_t bytes = (size_t)count * sizeof(int64_t);
    return memset(lua_newuserdatauv(L, bytes, 0), 0, bytes);
}

/* Pushes the buffers of the tilts. */
static void push_buffers(lua_State *L, an_tilts *of)
{
    of->factors = push_doubles(L, of->K * of->tilts);
    of->work = push_doubles(L, of->K);
    of->rivals = push_zeros(L, of->K);
}

/* tilted.recalls(parts, groups, taus) → {many = {number or false per tilt}, medium =, few =}: the
 * mean recall of each group's classes over the images of all parts; false if none has images. A
 * part is {probs = N rows of K probabilities (prob_rows.h), true_idx = N classes, from 0,
 * log_shares = K numbers ln π_k}; groups: "many", "medium", "few" or false for K ≥ 1 classes; taus:
 * tilts, at least one, ascending. */
static int tilted_recalls(lua_State *L)
{
    an_tilts of;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    of.K = (int64_t)lua_rawlen(L, 2);
    luaL_argcheck(L, of.K >= 1, 2, "at least one class expected");
    const int *groups = an_check_groups(L, 2, of.K);
    of.taus = an_check_doubles(L, 3, -1, &of.tilts);
    luaL_argcheck(L, of.tilts >= 1, 3, "at least one tilt expected");
    for (int64_t t = 1; t < of.tilts; t++)
        luaL_argcheck(L, of.taus[t] > of.taus[t - 1], 3, "tilts in ascending order expected");
    push_buffers(L, &of);
    double *row = push_doubles(L, of.K);
    int64_t *correct = push_zeros(L, (of.tilts + 1) * of.K), *support = push_zeros(L, of.K);
    const lua_Integer parts = (lua_Integer)lua_rawlen(L, 1);
    for (lua_Integer p = 1; p <= parts; p++) {
        lua_rawgeti(L, 1, p);
        count_part(L, &of, row, correct, support);
        lua_pop(L, 1);
    }
    push_recalls(L, &of, correct, support, groups);
    return 1;
}

/* tilted.called(probs, shares) → {the class, from 0, that each row calls}: the highest
 * ln q_k − shares_k, or the lowest class among equals. probs: N rows, as in a part above; shares: K
 * ≥ 1 numbers τ ln π_k. */
static int tilted_called(lua_State *L)
{
    an_tilts of = {.taus = (const double[]){1}, .tilts = 1};
    of.shares = an_check_doubles(L, 2, -1, &of.K);
    luaL_argcheck(L, of.K >= 1, 2, "at least one class expected");
    const an_prob_rows rows = an_check_prob_rows(L, 1, 1, of.K);
    push_buffers(L, &of);
    an_tilts_prepare(&of);
    double *row = push_doubles(L, of.K);
    lua_createtable(L, (int)rows.N, 0);
    for (int64_t i = 0; i < rows.N; i++) {
        an_prob_row(&rows, i, row);
        lua_pushinteger(L, an_tilts_class(&of, row, 0));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* tilted.recall(group, groups, true_idx, called) → the mean recall of a group's classes, "many",
 * "medium" or "few"; nil if none has images. groups: as above; true_idx, called: the classes, from
 * 0, of N images. */
static int tilted_recall(lua_State *L)
{
    const int group = AN_MANY + luaL_checkoption(L, 1, NULL, an_group_names + AN_MANY);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    const int64_t K = (int64_t)lua_rawlen(L, 2), N = (int64_t)lua_rawlen(L, 3);
    const int *groups = an_check_groups(L, 2, K);
    const int32_t *truth = an_check_indices(L, 3, N, 0, K - 1);
    const int32_t *called = an_check_indices(L, 4, N, 0, K - 1);
    int64_t *correct = push_zeros(L, K), *support = push_zeros(L, K);
    for (int64_t i = 0; i < N; i++) {
        support[truth[i]]++;
        correct[truth[i]] += called[i] == truth[i];
    }
    push_recall(L, correct, support, groups, group, K);
    if (lua_isboolean(L, -1))
        lua_pushnil(L);
    return 1;
}

int an_open_tilted(lua_State *L)
{
    static const luaL_Reg functions[] = {{"called", tilted_called},
                                         {"recall", tilted_recall},
                                         {"recalls", tilted_recalls},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
