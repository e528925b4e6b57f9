/* tilted (Lua): core.tilted, the classes that stored predictions call when they are tilted
 * (METHOD §2): class k has ln q_k − τ ln π_k, a line over τ. The image's own class is the highest
 * line in one interval of tilts, whose ends follow from K crossings of lines. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bind/index_list.h"
#include "bind/open.h"
#include "bind/shot_groups.h"
#include "bind/tensor_arg.h"

/* The lines of one image, and the counters of its class. */
typedef struct {
    const double *logs, *shares; /* ln q_k, ln π_k */
    const double *taus;
    int64_t K, truth;
    int64_t *correct; /* (tilts + 1, K): differences along the tilts */
} image;

/* Ties go to the lower class, and an undefined value is never highest. */
static int64_t called_at(const image *of, double tau)
{
    int64_t best = 0;
    double top = of->logs[0] - tau * of->shares[0];
    for (int64_t k = 1; k < of->K; k++) {
        const double value = of->logs[k] - tau * of->shares[k];
        if (value > top) {
            best = k;
            top = value;
        }
    }
    return best;
}

/* The tilts, low … high, at which the line of the image's class is not below another. */
typedef struct {
    double low, high;
} interval;

static interval interval_of(const image *of)
{
    const double own_log = of->logs[of->truth], own_share = of->shares[of->truth];
    interval out = {-INFINITY, INFINITY};
    for (int64_t k = 0; k < of->K; k++) {
        const double above = own_log - of->logs[k], slope = own_share - of->shares[k];
        if (slope > 0)
            out.high = fmin(out.high, above / slope);
        else if (slope < 0)
            out.low = fmax(out.low, above / slope);
        else if (above < 0)
            out.high = -INFINITY;
    }
    return out;
}

/* The first tilt of the grid that is at least `least`; `tilts` if none is. */
static int64_t first_from(const image *of, int64_t tilts, double least)
{
    int64_t low = 0, high = tilts;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (of->taus[middle] < least)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Adds 1 to the image's class at the tilts first … last: a step up and a step down. */
static void count(const image *of, int64_t first, int64_t last)
{
    of->correct[first * of->K + of->truth]++;
    of->correct[(last + 1) * of->K + of->truth]--;
}

/* NaN has no order, and the line of a class without training images is infinite except at 0. */
static bool is_defined(const image *of)
{
    bool all = true;
    for (int64_t k = 0; k < of->K; k++)
        all = all && !isnan(of->logs[k]) && isfinite(of->shares[k]);
    return all;
}

static bool is_called(const image *of, int64_t tilt)
{
    return called_at(of, of->taus[tilt]) == of->truth;
}

/* The ends of the interval are rounded, and ties depend on the order, so the tilts there are
 * tried. */
static void count_interval(const image *of, int64_t tilts)
{
    const double ROUNDING = 1e-9;
    const interval on = interval_of(of);
    if (on.low > on.high + ROUNDING)
        return;
    int64_t first = first_from(of, tilts, on.low - ROUNDING);
    int64_t last = first_from(of, tilts, on.high + ROUNDING) - 1;
    while (first <= last && !is_called(of, first))
        first++;
    while (first <= last && !is_called(of, last))
        last--;
    if (first <= last)
        count(of, first, last);
}

static void count_image(const image *of, int64_t tilts)
{
    if (!is_defined(of)) {
        for (int64_t t = 0; t < tilts; t++)
            if (is_called(of, t))
                count(of, t, t);
    } else if (isinf(of->logs[of->truth])) { /* the same at every tilt */
        if (is_called(of, 0))
            count(of, 0, tilts - 1);
    } else {
        count_interval(of, tilts);
    }
}

/* The row on the top of the stack, K float32 in the byte order of files → K logarithms. */
static void read_packed_logs(lua_State *L, int64_t K, double *logs)
{
    size_t bytes;
    const char *row = lua_tolstring(L, -1, &bytes);
    luaL_argcheck(L, bytes == (size_t)K * sizeof(float), 1,
                  "a float32 per class expected in each row");
    for (int64_t k = 0; k < K; k++) {
        float value;
        memcpy(&value, row + (size_t)k * sizeof value, sizeof value);
        logs[k] = log(value);
    }
}

static void read_listed_logs(lua_State *L, int64_t K, double *logs)
{
    for (int64_t k = 0; k < K; k++) {
        const bool is_number = lua_rawgeti(L, -1, k + 1) == LUA_TNUMBER;
        luaL_argcheck(L, is_number, 1, "a number per class expected in each row");
        logs[k] = log(lua_tonumber(L, -1));
        lua_pop(L, 1);
    }
}

/* Row i of the table of rows at `probs` → K logarithms. */
static void read_logs(lua_State *L, int probs, int64_t i, int64_t K, double *logs)
{
    const int type = lua_rawgeti(L, probs, i + 1);
    luaL_argcheck(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "a list of rows expected");
    if (type == LUA_TSTRING)
        read_packed_logs(L, K, logs);
    else
        read_listed_logs(L, K, logs);
    lua_pop(L, 1);
}

/* Pushes the table in the field `name` of the part at index `part`; → its index. */
static int field_of_part(lua_State *L, int part, const char *name)
{
    luaL_argcheck(L, lua_getfield(L, part, name) == LUA_TTABLE, 1,
                  "probs, true_idx and log_shares expected in each part");
    return lua_gettop(L);
}

/* Counts the images of the part on the top of the stack; support (K): the images of each class. */
static void count_part(lua_State *L, image of, int64_t tilts, double *logs, int64_t *support)
{
    const int part = lua_gettop(L);
    luaL_argcheck(L, lua_istable(L, part), 1, "a list of parts expected");
    const int probs = field_of_part(L, part, "probs");
    const int true_idx = field_of_part(L, part, "true_idx");
    of.shares = an_check_doubles(L, field_of_part(L, part, "log_shares"), of.K, NULL);
    of.logs = logs;
    const int64_t N = (int64_t)lua_rawlen(L, true_idx);
    const int32_t *truth = an_check_indices(L, true_idx, N, 0, of.K - 1);
    for (int64_t i = 0; i < N; i++) {
        read_logs(L, probs, i, of.K, logs);
        of.truth = truth[i];
        support[of.truth]++;
        count_image(&of, tilts);
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

/* Sums the differences, and pushes the recalls of each group at each tilt. */
static void push_recalls(lua_State *L, const image *of, const int64_t *support, const int *groups,
                         int64_t tilts)
{
    for (int64_t i = of->K; i < tilts * of->K; i++)
        of->correct[i] += of->correct[i - of->K];
    lua_createtable(L, 0, AN_GROUPS - AN_MANY);
    for (int g = AN_MANY; g < AN_GROUPS; g++) {
        lua_createtable(L, (int)tilts, 0);
        for (int64_t t = 0; t < tilts; t++) {
            push_recall(L, of->correct + t * of->K, support, groups, g, of->K);
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

/* tilted.recalls(parts, groups, taus) → {many = {number or false per tilt}, medium =, few =}: the
 * mean recall of each group's classes over the images of all parts; false if none has images. A
 * part is {probs = N rows of K probabilities, lists or strings of K float32 as the database stores
 * them, true_idx = N classes, from 0, log_shares = K numbers ln π_k}; groups: "many", "medium",
 * "few" or false for K ≥ 1 classes; taus: tilts, at least one, ascending. */
static int tilted_recalls(lua_State *L)
{
    int64_t tilts;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    image of = {.K = (int64_t)lua_rawlen(L, 2)};
    luaL_argcheck(L, of.K >= 1, 2, "at least one class expected");
    const int *groups = an_check_groups(L, 2, of.K);
    of.taus = an_check_doubles(L, 3, -1, &tilts);
    luaL_argcheck(L, tilts >= 1, 3, "at least one tilt expected");
    for (int64_t t = 1; t < tilts; t++)
        luaL_argcheck(L, of.taus[t] > of.taus[t - 1], 3, "tilts in ascending order expected");
    double *logs = lua_newuserdatauv(L, (size_t)of.K * sizeof *logs, 0);
    of.correct = push_zeros(L, (tilts + 1) * of.K);
    int64_t *support = push_zeros(L, of.K);
    const lua_Integer parts = (lua_Integer)lua_rawlen(L, 1);
    for (lua_Integer p = 1; p <= parts; p++) {
        lua_rawgeti(L, 1, p);
        count_part(L, of, tilts, logs, support);
        lua_pop(L, 1);
    }
    push_recalls(L, &of, support, groups, tilts);
    return 1;
}

/* tilted.called(probs, shares) → {the class, from 0, that each row calls}: the highest
 * ln q_k − shares_k, or the lowest class among equals. probs: N rows, as in a part above; shares: K
 * ≥ 1 numbers τ ln π_k. */
static int tilted_called(lua_State *L)
{
    image of = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    of.shares = an_check_doubles(L, 2, -1, &of.K);
    luaL_argcheck(L, of.K >= 1, 2, "at least one class expected");
    double *logs = lua_newuserdatauv(L, (size_t)of.K * sizeof *logs, 0);
    of.logs = logs;
    const int64_t N = (int64_t)lua_rawlen(L, 1);
    lua_createtable(L, (int)N, 0);
    for (int64_t i = 0; i < N; i++) {
        read_logs(L, 1, i, of.K, logs);
        lua_pushinteger(L, called_at(&of, 1));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

int an_open_tilted(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"recalls", tilted_recalls}, {"called", tilted_called}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
