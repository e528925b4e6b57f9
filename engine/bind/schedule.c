/* schedule (Lua): the Schedule userdata: construction and queries. Its methods for rows of label
 * vectors are in bind/process.c, its text in bind/schedule_text.c; Lua adds further methods to
 * core.schedule.methods (lua/aniso/method/schedule.lua). core.schedule.defaults contains the
 * defaults. Times and steps are plain numbers, t = 0 … T. */
#include "bind/schedule.h"

#include <math.h>
#include <string.h>

#include "base/integer.h"
#include "bind/tensor_arg.h"
#include "diffusion/share.h"
#include "tensor/scope.h"

/* Limits of image_needed(): draws × classes, and pairs of classes × draws with the coupling
 * `sample`. */
enum { SHARE_ELEMENTS = 1 << 22, SHARE_PAIRS = 1 << 25 };

an_schedule *an_check_schedule(lua_State *L, int arg)
{
    return an_check_handle(L, arg, AN_SCHEDULE);
}

/* ── construction ─────────────────────────────────────────────────────────────────── */

/* The list in field `key` of the table at 1, or NULL; it stays on the stack. */
static const double *opt_list(lua_State *L, const char *key, int64_t K)
{
    return lua_getfield(L, 1, key) == LUA_TNIL ? NULL : an_check_doubles(L, -1, K, NULL);
}

static const int64_t *opt_counts(lua_State *L, int64_t K)
{
    const double *given = opt_list(L, "counts", K);
    if (!given)
        return NULL;
    int64_t *counts = lua_newuserdatauv(L, (size_t)K * sizeof *counts + 1, 0);
    for (int64_t j = 0; j < K; j++) {
        if (!(given[j] >= 0 && given[j] <= 1e15 && given[j] == floor(given[j])))
            luaL_error(L, "counts[%d] = %f: a count is a whole number from 0", (int)j + 1,
                       given[j]);
        counts[j] = (int64_t)given[j];
    }
    return counts;
}

static an_beta_spec read_beta(lua_State *L)
{
    const int kind = an_opt_enum(L, 1, "base", an_beta_names, AN_BETA_COSINE);
    an_beta_spec spec =
        an_beta_default((an_beta_kind)kind, an_opt_int(L, 1, "T", AN_STEPS_DEFAULT));
    spec.start = an_opt_num(L, 1, "beta_start", spec.start);
    spec.end = an_opt_num(L, 1, "beta_end", spec.end);
    spec.offset = an_opt_num(L, 1, "offset", spec.offset);
    spec.max = an_opt_num(L, 1, "beta_max", spec.max);
    return spec;
}

/* new{K=, T=, base=, lambda=, coupling=, about=, …}: one flat table of resolved values. lambda
 * lists K levels. about: a table of further fields of the schedule, among them `text`, the line
 * that print() shows for the policy. It raises if memory runs out, like a tensor. */
static int schedule_new(lua_State *L)
{
    static const char *const known[] = {"K",        "T",          "base",     "lambda",
                                        "counts",   "beta_start", "beta_end", "offset",
                                        "beta_max", "coupling",   "about",    NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    an_check_keys(L, 1, known);
    const int64_t K = an_opt_within(L, 1, "K", 0, 1, AN_COUNT_MAX);
    lua_getfield(L, 1, "lambda");
    const an_schedule_spec spec = {
        .beta = read_beta(L),
        .lambda = an_check_doubles(L, 2, K, NULL),
        .counts = opt_counts(L, K),
        .K = K,
        .coupling = an_opt_enum(L, 1, "coupling", an_coupling_names, AN_COUPLE_VARIANCE)};
    void **handle = an_new_handle(L, AN_SCHEDULE);
    lua_getfield(L, 1, "about");
    lua_setiuservalue(L, -2, 1);
    *handle = an_schedule_new(&spec);
    return *handle ? 1 : an_raise(L);
}

static void close_schedule(lua_State *L, void *s)
{
    (void)L;
    an_schedule_free(s);
}

/* ── queries ─────────────────────────────────────────────────────────────────── */

static int64_t check_time(lua_State *L, const an_schedule *s, int arg)
{
    const lua_Integer t = luaL_checkinteger(L, arg), T = an_schedule_about(s)->beta.T;
    if (t < 0 || t > T)
        luaL_argerror(L, arg, lua_pushfstring(L, "t = %I is outside 0 … T = %I", t, T));
    return t;
}

/* Pushes K numbers as a float32 tensor. */
static int push_row(lua_State *L, int64_t K, const double *values)
{
    const size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_new(AN_F32, 1, &K);
    for (int64_t j = 0; x && j < K; j++)
        an_f32(x)[j] = (float)values[j];
    an_push_tensor(L, x);
    an_scope_end(mark, NULL);
    return 1;
}

/* Pushes them as a list, in double. */
static int push_list(lua_State *L, int64_t K, const double *values)
{
    lua_createtable(L, (int)K, 0);
    for (int64_t j = 0; j < K; j++) {
        lua_pushnumber(L, values[j]);
        lua_rawseti(L, -2, j + 1);
    }
    return 1;
}

static int schedule_signal(lua_State *L)
{
    const an_schedule *s = an_check_schedule(L, 1);
    return push_row(L, an_schedule_about(s)->K, an_schedule_signal(s, check_time(L, s, 2)));
}

static int schedule_noise(lua_State *L)
{
    const an_schedule *s = an_check_schedule(L, 1);
    return push_row(L, an_schedule_about(s)->K, an_schedule_noise(s, check_time(L, s, 2)));
}

/* s:snr(t) → (a/s)² per class, infinite at t = 0 */
static int schedule_snr(lua_State *L)
{
    const an_schedule *s = an_check_schedule(L, 1);
    const int64_t t = check_time(L, s, 2), K = an_schedule_about(s)->K;
    double *snr = lua_newuserdatauv(L, (size_t)K * sizeof *snr, 0);
    for (int64_t j = 0; j < K; j++) {
        const double a = an_schedule_signal(s, t)[j], noise = an_schedule_noise(s, t)[j];
        snr[j] = noise > 0 ? a * a / (noise * noise) : INFINITY;
    }
    return push_row(L, K, snr);
}

/* s:visits(t) → list of K: how often a class is at step t in training, relative to a class of
 * λ = 1 */
static int schedule_visits(lua_State *L)
{
    const an_schedule *s = an_check_schedule(L, 1);
    const int64_t t = check_time(L, s, 2), K = an_schedule_about(s)->K;
    luaL_argcheck(L, t >= 1, 2, "no image is trained at t = 0; expected 1 … T");
    double *visits = lua_newuserdatauv(L, (size_t)K * sizeof *visits, 0);
    an_schedule_visits(s, t, visits);
    return push_list(L, K, visits);
}

/* The most draws of a call: a limit on memory and, with `sample`, on time. */
static int64_t draws_most(const an_schedule *s)
{
    const an_schedule_spec *about = an_schedule_about(s);
    const int64_t K = about->K;
    int64_t most = SHARE_ELEMENTS / K;
    if (about->coupling == AN_COUPLE_SAMPLE && SHARE_PAIRS / K / K < most)
        most = SHARE_PAIRS / K / K;
    return most > 2 ? most : 2;
}

/* s:image_needed(draws, seed, bins) → {share =, error =, mean =, mean_error =, draws =, curve =}:
 * lists over classes; curve is a list of bins. There are no more draws than the limits permit, and
 * no more bins than draws or steps. */
static int schedule_image_needed(lua_State *L)
{
    const an_schedule *s = an_check_schedule(L, 1);
    const int64_t K = an_schedule_about(s)->K, T = an_schedule_about(s)->beta.T;
    if (an_schedule_about(s)->coupling == AN_COUPLE_IMAGE)
        return luaL_error(L,
                          "in the coupling image the levels depend on each image's prior, so the "
                          "image-needed share is not known before training");
    int64_t draws = an_check_within(L, 2, "draws", 2, AN_COUNT_MAX);
    draws = draws < draws_most(s) ? draws : draws_most(s);
    const uint64_t seed = (uint64_t)luaL_checkinteger(L, 3);
    int64_t bins = an_check_within(L, 4, "bins", 1, AN_COUNT_MAX);
    bins = bins < T ? bins : T;
    bins = bins < draws ? bins : draws;
    double *values = lua_newuserdatauv(L, (size_t)(2 * (K + 1) + bins * K) * sizeof *values, 0);
    an_share out = {values, values + K + 1, values + 2 * (K + 1), bins};
    if (an_schedule_share(s, draws, seed, &out))
        return an_raise(L);
    lua_createtable(L, 0, 6);
    push_list(L, K, out.share);
    lua_setfield(L, -2, "share");
    push_list(L, K, out.error);
    lua_setfield(L, -2, "error");
    lua_pushnumber(L, out.share[K]);
    lua_setfield(L, -2, "mean");
    lua_pushnumber(L, out.error[K]);
    lua_setfield(L, -2, "mean_error");
    lua_pushinteger(L, draws);
    lua_setfield(L, -2, "draws");
    lua_createtable(L, (int)bins, 0);
    for (int64_t i = 0; i < bins; i++) {
        push_list(L, K, out.curve + i * K);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "curve");
    return 1;
}

static int schedule_alpha_bar(lua_State *L)
{
    const an_schedule *s = an_check_schedule(L, 1);
    lua_pushnumber(L, an_schedule_alpha_bar(s, check_time(L, s, 2)));
    return 1;
}

/* s:times(S [, spacing]) → list of S+1 times from T to 0 */
static int schedule_times(lua_State *L)
{
    const an_schedule *s = an_check_schedule(L, 1);
    const lua_Integer S = luaL_checkinteger(L, 2);
    const int spacing = luaL_checkoption(L, 3, "uniform", an_spacing_names);
    const bool fits = S >= 1 && S <= an_schedule_about(s)->beta.T;
    int64_t *times = lua_newuserdatauv(L, fits ? (size_t)(S + 1) * sizeof *times : 1, 0);
    if (an_times(s, S, (an_spacing)spacing, times))
        return an_raise(L);
    lua_createtable(L, (int)S + 1, 0);
    for (lua_Integer i = 0; i <= S; i++) {
        lua_pushinteger(L, times[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int push_counts(lua_State *L, const an_schedule_spec *about)
{
    if (!about->counts)
        return 0;
    lua_createtable(L, (int)about->K, 0);
    for (int64_t j = 0; j < about->K; j++) {
        lua_pushinteger(L, about->counts[j]);
        lua_rawseti(L, -2, j + 1);
    }
    return 1;
}

/* Pushes the field `key` and returns its number of values; −1 if there is no such field. */
static int push_field(lua_State *L, const an_schedule *s, const char *key)
{
    const an_schedule_spec *about = an_schedule_about(s);
    if (!strcmp(key, "K"))
        return lua_pushinteger(L, about->K), 1;
    if (!strcmp(key, "T"))
        return lua_pushinteger(L, about->beta.T), 1;
    if (!strcmp(key, "lambda"))
        return push_row(L, about->K, an_schedule_lambda(s));
    if (!strcmp(key, "levels"))
        return push_list(L, about->K, an_schedule_lambda(s));
    if (!strcmp(key, "counts"))
        return push_counts(L, about);
    const char *text = !strcmp(key, "base")       ? an_beta_names[about->beta.kind]
                       : !strcmp(key, "coupling") ? an_coupling_names[about->coupling]
                                                  : NULL;
    return text ? (lua_pushstring(L, text), 1) : -1;
}

/* A field defined in C, else a field of `about`. */
static int any_field(lua_State *L, void *s, const char *key)
{
    const int values = push_field(L, s, key);
    if (values >= 0)
        return values;
    if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE && lua_getfield(L, -1, key) != LUA_TNIL)
        return 1;
    if (strcmp("q_sample", key) == 0)
        return luaL_error(L, "method q_sample is now noised");
    return luaL_error(L, "a schedule has no field or method '%s'", key);
}

static int push_text(lua_State *L, void *s)
{
    an_push_schedule_text(L, 1, s);
    return 1;
}

/* ── tables ─────────────────────────────────────────────────────────────────── */

static const luaL_Reg methods[] = {
    {"signal", schedule_signal},
    {"noise", schedule_noise},
    {"snr", schedule_snr},
    {"alpha_bar", schedule_alpha_bar},
    {"times", schedule_times},
    {"visits", schedule_visits},
    {"image_needed", schedule_image_needed},
    {NULL, NULL},
};

static const an_class schedule_class = {.name = AN_SCHEDULE,
                                        .close = close_schedule,
                                        .text = push_text,
                                        .methods = methods,
                                        .field = any_field};

/* Pushes {T =, offset =, beta_max =}, the defaults of new(). */
static void push_defaults(lua_State *L)
{
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, AN_STEPS_DEFAULT);
    lua_setfield(L, -2, "T");
    lua_pushnumber(L, AN_OFFSET_DEFAULT);
    lua_setfield(L, -2, "offset");
    lua_pushnumber(L, AN_BETA_MAX_DEFAULT);
    lua_setfield(L, -2, "beta_max");
}

int an_open_schedule(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", schedule_new},
                                         {"vote", an_schedule_vote},
                                         {"tilt", an_schedule_tilt},
                                         {NULL, NULL}};
    an_define_class(L, &schedule_class);
    luaL_getmetatable(L, AN_SCHEDULE);
    lua_getfield(L, -1, "methods");
    luaL_setfuncs(L, an_process_methods, 0);
    luaL_newlib(L, functions);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "methods");
    push_defaults(L);
    lua_setfield(L, -2, "defaults");
    return 1;
}
