/* tilted (Lua): core.tilted, what stored predictions call as they are tilted (METHOD §2): class k
 * has ln q_k − τ ln π_k, a line over τ. The line that is highest at two tilts is highest between
 * them, so of a grid of tilts only those are tried where the class may change. */
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
    int64_t *correct; /* (tilts, K) */
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

static void count(const image *of, int64_t first, int64_t last, int64_t class)
{
    if (class == of->truth)
        for (int64_t t = first; t <= last; t++)
            of->correct[t * of->K + class]++;
}

/* Counts the tilts between the grid's `low` and `high`, at which the image is called these classes.
 */
static void count_between(const image *of, int64_t low, int64_t high, int64_t at_low,
                          int64_t at_high)
{
    while (high - low > 1 && at_low != at_high) {
        const int64_t middle = low + (high - low) / 2;
        const int64_t at_middle = called_at(of, of->taus[middle]);
        count(of, middle, middle, at_middle);
        count_between(of, low, middle, at_low, at_middle); /* as deep as log2 of the grid */
        low = middle;
        at_low = at_middle;
    }
    count(of, low + 1, high - 1, at_low);
}

static void count_image(const image *of, int64_t tilts)
{
    const int64_t first = called_at(of, of->taus[0]);
    count(of, 0, 0, first);
    if (tilts == 1)
        return;
    const int64_t last = called_at(of, of->taus[tilts - 1]);
    count(of, tilts - 1, tilts - 1, last);
    count_between(of, 0, tilts - 1, first, last);
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

static void push_counts(lua_State *L, const int64_t *correct, int64_t tilts, int64_t K)
{
    lua_createtable(L, (int)tilts, 0);
    for (int64_t t = 0; t < tilts; t++) {
        lua_createtable(L, (int)K, 0);
        for (int64_t k = 0; k < K; k++) {
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
    int64_t *correct = lua_newuserdatauv(L, (size_t)(tilts * K) * sizeof *correct, 0);
    memset(correct, 0, (size_t)(tilts * K) * sizeof *correct);
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
