/* bootstrap (Lua): core.bootstrap, the metrics of many resamples at once. Which images a resample
 * has, and what is done with the metrics, is in lua/aniso/stats/bootstrap.lua. */
#include "bind/open.h"
#include "bind/shot_groups.h"
#include "bind/tensor_arg.h"

/* After ACC come the groups, AN_MANY, AN_MEDIUM and AN_FEW. */
enum { ACC, BACC = AN_GROUPS, MACRO_F1, METRICS };

static const char *name_of(int metric)
{
    static const char *const names[METRICS] = {
        [ACC] = "acc", [BACC] = "bacc", [MACRO_F1] = "macro_f1"};
    return names[metric] ? names[metric] : an_group_names[metric];
}

/* Sums over the defined ones of some classes, and their number. */
typedef struct {
    double sum;
    int64_t n;
} mean;

static void add(mean *m, double value)
{
    m->sum += value;
    m->n++;
}

/* The means of one resample by the conventions of the confusion matrix: a recall is defined for a
 * class with images, an F1 for a class that has images or is called. support, called and correct
 * have K counts each. */
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

/* bootstrap.rates(sums, K, first, groups) → {acc = {number or false per row}, bacc =, macro_f1 =,
 * many =, medium =, few =}. sums: float32 (R, W), one resample per row, with the images of each of
 * K classes at columns 0 … K−1, the calls of each class at first … and the correct ones at
 * first + K …; groups: "many", "medium", "few" or false per class. False where undefined. */
static int bootstrap_rates(lua_State *L)
{
    an_tensor *sums = an_check_tensor(L, 1);
    luaL_argcheck(L, sums->dtype == AN_F32 && sums->ndim == 2 && an_is_contiguous(sums), 1,
                  "a contiguous float32 tensor of two dimensions expected");
    const int64_t rows = sums->shape[0], width = sums->shape[1];
    const int64_t K = an_check_within(L, 2, "K", 1, width / 3);
    const int64_t first = an_check_within(L, 3, "first", K, width - 2 * K);
    const int *group = an_check_groups(L, 4, K);
    lua_createtable(L, 0, METRICS);
    const int result = lua_gettop(L);
    for (int m = 0; m < METRICS; m++) {
        lua_createtable(L, (int)rows, 0);
        lua_pushvalue(L, -1);
        lua_setfield(L, result, name_of(m));
    }
    for (int64_t r = 0; r < rows; r++) {
        const float *row = an_f32(sums) + r * width;
        mean of[METRICS];
        rates_of(row, row + first, row + first + K, group, K, of);
        for (int m = 0; m < METRICS; m++) {
            if (of[m].n > 0)
                lua_pushnumber(L, of[m].sum / (double)of[m].n);
            else
                lua_pushboolean(L, false);
            lua_rawseti(L, result + 1 + m, r + 1);
        }
    }
    lua_settop(L, result);
    return 1;
}

int an_open_bootstrap(lua_State *L)
{
    static const luaL_Reg functions[] = {{"rates", bootstrap_rates}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
