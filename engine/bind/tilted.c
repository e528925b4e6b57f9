/* tilted (Lua): core.tilted, what stored predictions call as they are tilted (METHOD §2): class k
 * has ln q_k − τ ln π_k, a line over τ. The image's own class is the highest line in one interval
 * of tilts, whose ends follow from K crossings of lines. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bind/open.h"
#include "bind/tensor_arg.h"

/* The lines of one image and the counters of its class. */
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

/* The tilts where the line of the image's class is not below another: from `low` to `high`. */
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

/* A NaN has no order, and the line of a class without training images is infinite but at 0. */
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

/* The ends of the interval are rounded, and ties are a matter of order: the tilts there are tried.
 */
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

/* The row on the top of the stack, of K float32 in the order of a file's bytes → K logarithms. */
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

/* Row i of the table of rows at index 1 → K logarithms. */
static void read_logs(lua_State *L, int64_t i, int64_t K, double *logs)
{
    const int type = lua_rawgeti(L, 1, i + 1);
    luaL_argcheck(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "a list of rows expected");
    if (type == LUA_TSTRING)
        read_packed_logs(L, K, logs);
    else
        read_listed_logs(L, K, logs);
    lua_pop(L, 1);
}

static int64_t read_truth(lua_State *L, int64_t i, int64_t K)
{
    int is_integer;
    lua_rawgeti(L, 2, i + 1);
    const lua_Integer class = lua_tointegerx(L, -1, &is_integer);
    luaL_argcheck(L, is_integer && class >= 0 && class < K, 2, "a class, from 0, per row expected");
    lua_pop(L, 1);
    return class;
}

/* Sums the differences up. */
static void push_counts(lua_State *L, int64_t *correct, int64_t tilts, int64_t K)
{
    lua_createtable(L, (int)tilts, 0);
    for (int64_t t = 0; t < tilts; t++) {
        lua_createtable(L, (int)K, 0);
        for (int64_t k = 0; k < K; k++) {
            if (t > 0)
                correct[t * K + k] += correct[(t - 1) * K + k];
            lua_pushinteger(L, correct[t * K + k]);
            lua_rawseti(L, -2, k + 1);
        }
        lua_rawseti(L, -2, t + 1);
    }
}

/* tilted.correct(probs, true_idx, log_shares, taus) → {{K counts} per tilt}: the images of each
 * class that are called it. probs: N rows of K probabilities, lists or strings of K float32 as the
 * database stores them; true_idx: N classes, from 0; log_shares: K numbers ln π_k; taus: tilts, at
 * least one, ascending. */
static int tilted_correct(lua_State *L)
{
    int64_t K, tilts;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    const double *shares = an_check_doubles(L, 3, -1, &K);
    luaL_argcheck(L, K >= 1, 3, "at least one class expected");
    const double *taus = an_check_doubles(L, 4, -1, &tilts);
    luaL_argcheck(L, tilts >= 1, 4, "at least one tilt expected");
    for (int64_t t = 1; t < tilts; t++)
        luaL_argcheck(L, taus[t] > taus[t - 1], 4, "tilts in ascending order expected");
    double *logs = lua_newuserdatauv(L, (size_t)K * sizeof *logs, 0);
    const size_t counters = (size_t)((tilts + 1) * K) * sizeof(int64_t);
    int64_t *correct = memset(lua_newuserdatauv(L, counters, 0), 0, counters);
    image of = {.logs = logs, .shares = shares, .taus = taus, .K = K, .correct = correct};
    const int64_t N = (int64_t)lua_rawlen(L, 2);
    for (int64_t i = 0; i < N; i++) {
        read_logs(L, i, K, logs);
        of.truth = read_truth(L, i, K);
        count_image(&of, tilts);
    }
    push_counts(L, correct, tilts, K);
    return 1;
}

int an_open_tilted(lua_State *L)
{
    static const luaL_Reg functions[] = {{"correct", tilted_correct}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
