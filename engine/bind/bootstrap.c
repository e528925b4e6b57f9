/* bootstrap (Lua): core.bootstrap, the metrics of many resamples at once.
 * lua/aniso/stats/bootstrap.lua draws the resamples and uses the metrics. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "bind/bootstrap_counts.h"
#include "bind/index_list.h"
#include "bind/open.h"
#include "bind/shot_groups.h"
#include "bind/tensor_arg.h"
#include "tensor/scope.h"

/* After ACC come the groups, AN_MANY, AN_MEDIUM and AN_FEW. */
enum { ACC, BACC = AN_GROUPS, MACRO_F1, METRICS };

static const char *name_of(int metric)
{
    static const char *const names[METRICS] = {
        [ACC] = "acc", [BACC] = "bacc", [MACRO_F1] = "macro_f1"};
    return names[metric] ? names[metric] : an_group_names[metric];
}

/* The sum over those classes for which a value is defined, and their number. */
typedef struct {
    double sum;
    int64_t n;
} mean;

static void add(mean *m, double value)
{
    m->sum += value;
    m->n++;
}

/* The means of one resample, by the conventions of the confusion matrix: a recall is defined for a
 * class with images, an F1 for a class that has images or is called. support, called and correct
 * contain K counts each. */
static void rates_of(const float *support, const float *called, const float *correct,
                     const int *group, int64_t K, mean out[METRICS])
{
    double images = 0, hits = 0;
    for (int m = 0; m < METRICS; m++)
        out[m] = (mean){0, 0};
    for (int64_t j = 0; j < K; j++) {
        const double n = support[j], tp = correct[j];
        if (n + called[j] > 0)
            add(&out[MACRO_F1], 2 * tp / (n + called[j]));
        if (n > 0) {
            images += n;
            hits += tp;
            add(&out[BACC], tp / n);
            if (group[j] != AN_NO_GROUP)
                add(&out[group[j]], tp / n);
        }
    }
    if (images > 0)
        add(&out[ACC], hits / images);
}

/* The index of the metric whose name is on the top of the stack; pops the name. */
static int read_metric(lua_State *L, int index)
{
    const char *name = lua_tostring(L, -1);
    for (int m = 0; name && m < METRICS; m++)
        if (strcmp(name, name_of(m)) == 0) {
            lua_pop(L, 1);
            return m;
        }
    return luaL_argerror(L, index, "acc, bacc, macro_f1, many, medium or few expected");
}

/* The list of metrics at `index`: sets requested[m] for each; all if the argument is absent. */
static void read_metrics(lua_State *L, int index, bool requested[METRICS])
{
    const bool all = lua_isnoneornil(L, index);
    for (int m = 0; m < METRICS; m++)
        requested[m] = all;
    if (all)
        return;
    luaL_checktype(L, index, LUA_TTABLE);
    const lua_Integer n = (lua_Integer)lua_rawlen(L, index);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, index, i);
        requested[read_metric(L, index)] = true;
    }
}

/* Sets values[row] of the list at `list`; false if the mean is over no class. */
static void store_mean(lua_State *L, int list, int64_t row, mean of)
{
    if (of.n > 0)
        lua_pushnumber(L, of.sum / (double)of.n);
    else
        lua_pushboolean(L, false);
    lua_rawseti(L, list, row + 1);
}

/* bootstrap.rates(sums, K, first, groups [, metrics]) → {acc = {number or false per row}, bacc =,
 * macro_f1 =, many =, medium =, few =}, restricted to the named metrics. sums: float32 (R, W), one
 * resample per row, with the images of each of K classes in columns 0 … K−1, the calls of each
 * class from column `first` on, and the correct ones from first + K on; groups: "many", "medium",
 * "few" or false per class. False where undefined. */
static int bootstrap_rates(lua_State *L)
{
    an_tensor *sums = an_check_tensor(L, 1);
    luaL_argcheck(L, sums->dtype == AN_F32 && sums->ndim == 2 && an_is_contiguous(sums), 1,
                  "a contiguous float32 tensor of two dimensions expected");
    const int64_t rows = sums->shape[0], width = sums->shape[1];
    const int64_t K = an_check_within(L, 2, "K", 1, width / 3);
    const int64_t first = an_check_within(L, 3, "first", K, width - 2 * K);
    bool requested[METRICS];
    read_metrics(L, 5, requested);
    const int *group = an_check_groups(L, 4, K);
    lua_createtable(L, 0, METRICS);
    const int result = lua_gettop(L);
    int list[METRICS] = {0}; /* position on the stack; 0: none */
    for (int m = 0; m < METRICS; m++)
        if (requested[m]) {
            lua_createtable(L, (int)rows, 0);
            list[m] = lua_gettop(L);
            lua_pushvalue(L, -1);
            lua_setfield(L, result, name_of(m));
        }
    for (int64_t r = 0; r < rows; r++) {
        const float *row = an_f32(sums) + r * width;
        mean of[METRICS];
        rates_of(row, row + first, row + first + K, group, K, of);
        for (int m = 0; m < METRICS; m++)
            if (list[m])
                store_mean(L, list[m], r, of[m]);
    }
    lua_settop(L, result);
    return 1;
}

/* How often the seed of a prediction is in each resample: a column of counts (R, S); once in each
 * if counts is NULL. */
typedef struct {
    const float *counts;
    int64_t S, seed;
} occurrences;

static double occurrence(const occurrences *of, int64_t r)
{
    return of->counts ? of->counts[r * of->S + of->seed] : 1;
}

/* Adds weight · values to the sums; the list of R values is on the top of the stack. A sum becomes
 * NaN if a value with a non-zero factor is undefined. */
static void add_weighted(lua_State *L, double *sums, int64_t R, double weight,
                         const occurrences *of)
{
    luaL_argcheck(L, lua_istable(L, -1) && (int64_t)lua_rawlen(L, -1) == R, 1,
                  "lists of equal lengths expected");
    for (int64_t r = 0; r < R; r++) {
        const double factor = occurrence(of, r) * weight;
        if (factor == 0)
            continue;
        const bool is_defined = lua_rawgeti(L, -1, r + 1) == LUA_TNUMBER;
        sums[r] = is_defined ? sums[r] + factor * lua_tonumber(L, -1) : NAN;
        lua_pop(L, 1);
    }
}

/* Pushes the defined sums in ascending order. */
static void push_ascending(lua_State *L, double *sums, int64_t R)
{
    int64_t n = 0;
    for (int64_t r = 0; r < R; r++)
        if (!isnan(sums[r]))
            sums[n++] = sums[r];
    if (n > 1)
        qsort(sums, (size_t)n, sizeof *sums, an_lowest_first);
    lua_createtable(L, (int)n, 0);
    for (int64_t r = 0; r < n; r++) {
        lua_pushnumber(L, sums[r]);
        lua_rawseti(L, -2, r + 1);
    }
}

/* bootstrap.combined(lists, weights [, counts, seed_of]) → the sums Σ_p weights[p] · lists[p][r] of
 * R resamples in ascending order, without those to which a false value contributes. counts: float32
 * (R, S), how often each of S seeds is in a resample: list p counts as often as seed seed_of[p], 1
 * … S; once if absent. lists: P ≥ 1 lists of R numbers or false. */
static int bootstrap_combined(lua_State *L)
{
    lua_settop(L, 4); /* values pushed later are not arguments */
    luaL_checktype(L, 1, LUA_TTABLE);
    const int64_t P = (int64_t)lua_rawlen(L, 1);
    luaL_argcheck(L, P >= 1 && lua_rawgeti(L, 1, 1) == LUA_TTABLE, 1, "lists expected");
    const int64_t R = (int64_t)lua_rawlen(L, -1);
    const an_tensor *counts = an_opt_tensor(L, 3);
    luaL_argcheck(L,
                  !counts || (counts->dtype == AN_F32 && counts->ndim == 2 &&
                              an_is_contiguous(counts) && counts->shape[0] == R),
                  3, "a contiguous float32 tensor (R, S) expected");
    const int32_t *seed_of = counts ? an_check_indices(L, 4, P, 1, counts->shape[1]) : NULL;
    const double *weights = an_check_doubles(L, 2, P, NULL);
    double *sums = lua_newuserdatauv(L, (size_t)(R > 0 ? R : 1) * sizeof *sums, 0);
    for (int64_t r = 0; r < R; r++)
        sums[r] = 0;
    for (int64_t p = 0; p < P; p++) {
        occurrences of = {0};
        if (counts)
            of = (occurrences){an_f32(counts), counts->shape[1], seed_of[p] - 1};
        lua_rawgeti(L, 1, p + 1);
        add_weighted(L, sums, R, weights[p], &of);
        lua_pop(L, 1);
    }
    push_ascending(L, sums, R);
    return 1;
}

int an_open_bootstrap(lua_State *L)
{
    static const luaL_Reg functions[] = {{"combined", bootstrap_combined},
                                         {"counted", an_lua_bootstrap_counted},
                                         {"rates", bootstrap_rates},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
