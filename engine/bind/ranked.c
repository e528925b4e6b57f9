/* ranked (Lua): core.ranked, how well the probability of a class ranks its images above the others,
 * one class against the rest. Its conventions are in lua/aniso/stats/metric/ranking.lua. */
#include <stdint.h>
#include <stdlib.h>

#include "base/order.h"
#include "bind/index_list.h"
#include "bind/open.h"
#include "bind/prob_rows.h"
#include "bind/tensor_arg.h"

/* The scores for one class, both lists ascending: those of its images, and those of other
 * images. */
typedef struct {
    double *own, *other;
    int64_t owns, others;
} scores;

/* The share of the pairs of an own and another image in which the own one scores higher; a tie
 * counts one half (Mann–Whitney). owns, others ≥ 1. */
static double area_under_roc(const scores *of)
{
    int64_t below = 0, upto = 0; /* others with lower scores, and with lower or equal scores */
    double ordered = 0;
    for (int64_t i = 0; i < of->owns; i++) {
        while (below < of->others && of->other[below] < of->own[i])
            below++;
        if (upto < below)
            upto = below;
        while (upto < of->others && of->other[upto] <= of->own[i])
            upto++;
        ordered += (double)(below + upto) / 2;
    }
    return ordered / ((double)of->owns * (double)of->others);
}

/* Σ_k (R_k − R_{k−1}) P_k over the distinct scores in descending order; images with equal scores
 * enter together. owns ≥ 1. */
static double average_precision(const scores *of)
{
    int64_t right = of->owns, wrong = of->others; /* how many have not entered yet */
    double area = 0;
    while (right > 0) {
        const double score = of->own[right - 1];
        const int64_t before = right;
        do
            right--;
        while (right > 0 && of->own[right - 1] == score);
        while (wrong > 0 && of->other[wrong - 1] >= score)
            wrong--;
        const int64_t hits = of->owns - right, called = hits + of->others - wrong;
        area += (double)(before - right) / (double)of->owns * ((double)hits / (double)called);
    }
    return area;
}

/* The scores of class k, in the two buffers. */
static void gather(scores *of, const an_prob_rows *rows, const int32_t *truth, int64_t k)
{
    of->owns = of->others = 0;
    for (int64_t i = 0; i < rows->N; i++) {
        const double score = an_prob_at(rows, i, k);
        if (truth[i] == k)
            of->own[of->owns++] = score;
        else
            of->other[of->others++] = score;
    }
    qsort(of->own, (size_t)of->owns, sizeof *of->own, an_lowest_first);
    qsort(of->other, (size_t)of->others, sizeof *of->other, an_lowest_first);
}

/* list[k] = value, or false if it is undefined. */
static void store(lua_State *L, int list, int64_t k, bool is_defined, double value)
{
    if (is_defined)
        lua_pushnumber(L, value);
    else
        lua_pushboolean(L, false);
    lua_rawseti(L, list, k + 1);
}

/* ranked.areas(true_idx, rows, K) → {area under the ROC curve}, {average precision}, per class;
 * false if a class has no image, and the first also if it has all. true_idx: the class, from 0, of
 * each of N images; rows: N rows of K ≥ 1 scores (prob_rows.h). */
static int ranked_areas(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const int64_t N = (int64_t)lua_rawlen(L, 1);
    const int64_t K = an_check_within(L, 3, "K", 1, INT32_MAX);
    const an_prob_rows rows = an_check_prob_rows(L, 2, 2, K);
    luaL_argcheck(L, rows.N == N, 2, "a row per image expected");
    const int32_t *truth = an_check_indices(L, 1, N, 0, K - 1);
    const size_t bytes = (size_t)(N > 0 ? N : 1) * sizeof(double);
    scores of = {.own = lua_newuserdatauv(L, bytes, 0), .other = lua_newuserdatauv(L, bytes, 0)};
    lua_createtable(L, (int)K, 0);
    lua_createtable(L, (int)K, 0);
    const int roc = lua_gettop(L) - 1, precision = lua_gettop(L);
    for (int64_t k = 0; k < K; k++) {
        gather(&of, &rows, truth, k);
        const bool has_own = of.owns > 0, has_both = has_own && of.others > 0;
        store(L, roc, k, has_both, has_both ? area_under_roc(&of) : 0);
        store(L, precision, k, has_own, has_own ? average_precision(&of) : 0);
    }
    return 2;
}

int an_open_ranked(lua_State *L)
{
    static const luaL_Reg functions[] = {{"areas", ranked_areas}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
