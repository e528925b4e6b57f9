/* process (Lua): the Schedule's methods for rows of label vectors, and the vote. Label vectors are
 * float32 (B,K); times are an integer or int64 (B); levels are nil or float32 (B), with the
 * coupling `image` (B,K). noised and target are recorded (grad/rules_diffusion.c); the other
 * results have no gradient. */
#include "diffusion/process.h"

#include "base/integer.h"
#include "bind/schedule.h"
#include "bind/tensor_arg.h"
#include "diffusion/vote.h"
#include "grad/ops.h"
#include "tensor/scope.h"

/* ── arguments ──────────────────────────────────────────────────────────────── */

/* One call: its rows, and the scope of its intermediate tensors. */
typedef struct {
    lua_State *L;
    size_t mark;
    an_rows rows;
    int64_t K;
} call;

static int raise(call *c)
{
    an_scope_end(c->mark, NULL);
    return an_raise(c->L);
}

/* `arguments` is the position of the last one: a value pushed later must not count as an
 * argument. */
static call begin(lua_State *L, int arguments)
{
    lua_settop(L, arguments);
    const an_schedule *s = an_check_schedule(L, 1);
    call c = {.L = L, .K = an_schedule_about(s)->K, .rows = {.schedule = s, .B = -1}};
    c.mark = an_scope_begin();
    return c;
}

/* The numbers of the tensor x, contiguous and outside any recording. */
static an_tensor *plain(call *c, an_tensor *x)
{
    x = an_is_contiguous(x) ? x : an_contiguous(an_detach(x));
    if (!x)
        raise(c);
    return x;
}

/* The (B,K) tensor at `arg`. The first matrix of a call decides B. */
static const float *matrix(call *c, int arg, const char *what)
{
    an_tensor *x = an_check_tensor(c->L, arg);
    if (an_expect(x, what, AN_F32, 2))
        raise(c);
    if (c->rows.B < 0)
        c->rows.B = x->shape[0];
    if (x->shape[0] != c->rows.B || x->shape[1] != c->K) {
        an_fail(AN_EINVAL, "%s: expected (%lld, %lld), got %s", what, (long long)c->rows.B,
                (long long)c->K, an_shape_text(x));
        raise(c);
    }
    return an_f32(plain(c, x));
}

/* One number per row, or raises. */
static an_tensor *column(call *c, an_tensor *x, const char *what, an_dtype dtype)
{
    if (an_expect(x, what, dtype, 1))
        raise(c);
    if (c->rows.B < 0)
        c->rows.B = x->shape[0];
    if (x->shape[0] != c->rows.B) {
        an_fail(AN_EINVAL, "%s: expected (%lld), got %s", what, (long long)c->rows.B,
                an_shape_text(x));
        raise(c);
    }
    return plain(c, x);
}

/* Times at stack position `at`: one integer for all rows, or a tensor. */
static const int64_t *times_at(call *c, int at, const char *what)
{
    if (!lua_isinteger(c->L, at))
        return an_i64(column(c, an_check_tensor(c->L, at), what, AN_I64));
    const int64_t t = lua_tointeger(c->L, at), B = c->rows.B < 0 ? (c->rows.B = 1) : c->rows.B;
    int64_t *times = lua_newuserdatauv(c->L, (size_t)B * sizeof *times + 1, 0);
    for (int64_t b = 0; b < B; b++)
        times[b] = t;
    return times;
}

static void set_level(call *c, int arg)
{
    an_tensor *level = an_opt_tensor(c->L, arg);
    if (!level)
        return;
    const bool of_image = an_schedule_about(c->rows.schedule)->coupling == AN_COUPLE_IMAGE;
    c->rows.level = of_image ? matrix(c, arg, "level") : an_f32(column(c, level, "level", AN_F32));
}

/* The options of a step. The functions share them, because a sampler passes one table to all. */
static const char *const reading_names[] = {"prediction",  "clip",       "eta", "noise",
                                            "previous_z0", "previous_t", NULL};

/* A field of the option table at `arg` that is a (B,K) tensor, or NULL. It stays on the stack. */
static const float *opt_matrix(call *c, int arg, const char *key)
{
    if (lua_isnoneornil(c->L, arg) ||
        (lua_pushstring(c->L, key), lua_rawget(c->L, arg) == LUA_TNIL))
        return NULL;
    return matrix(c, lua_gettop(c->L), key);
}

/* ── results ────────────────────────────────────────────────────────────────── */

static an_tensor *result(call *c, int ndim)
{
    const int64_t shape[2] = {c->rows.B, c->K};
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    if (!x)
        raise(c);
    return x;
}

static int finish(call *c, an_code code, an_tensor *first, an_tensor *second)
{
    if (code != AN_OK)
        return raise(c);
    an_push_tensor(c->L, first);
    if (second)
        an_push_tensor(c->L, second);
    an_scope_end(c->mark, NULL);
    return second ? 2 : 1;
}

/* ── forward ────────────────────────────────────────────────────────────────── */

/* s:levels_of_labels(labels int64 (B)) → (B): λ_c of each image's class c */
static int process_levels_of_labels(lua_State *L)
{
    call c = begin(L, 2);
    const int64_t *labels = an_i64(column(&c, an_check_tensor(L, 2), "labels", AN_I64));
    an_tensor *level = result(&c, 1);
    return finish(&c, an_levels_of_labels(c.rows.schedule, c.rows.B, labels, an_f32(level)), level,
                  NULL);
}

/* s:levels_of_priors(m) → (B): λ(x) = Σ_j m_j λ_j */
static int process_levels_of_priors(lua_State *L)
{
    call c = begin(L, 2);
    const float *m = matrix(&c, 2, "m");
    an_tensor *level = result(&c, 1);
    an_levels_of_priors(c.rows.schedule, c.rows.B, m, an_f32(level));
    return finish(&c, AN_OK, level, NULL);
}

/* s:levels_of_uncertainty(m, floor) → (B,K): coupling `image` */
static int process_levels_of_uncertainty(lua_State *L)
{
    call c = begin(L, 3);
    const float *m = matrix(&c, 2, "m");
    an_tensor *level = result(&c, 2);
    return finish(&c,
                  an_levels_of_uncertainty(c.rows.schedule, c.rows.B, m, luaL_checknumber(L, 3),
                                           an_f32(level)),
                  level, NULL);
}

/* s:times_of_labels(labels int64 (B), t, within (B)) → int64 (B): t′ of each image's class */
static int process_times_of_labels(lua_State *L)
{
    call c = begin(L, 4);
    const int64_t *labels = an_i64(column(&c, an_check_tensor(L, 2), "labels", AN_I64));
    const int64_t *t = times_at(&c, 3, "t");
    const float *within = an_f32(column(&c, an_check_tensor(L, 4), "within", AN_F32));
    an_tensor *moved = an_tensor_new(AN_I64, 1, &c.rows.B);
    if (!moved)
        return raise(&c);
    return finish(&c,
                  an_times_of_labels(c.rows.schedule, c.rows.B, labels, t, within, an_i64(moved)),
                  moved, NULL);
}

/* s:gather("signal" | "noise", t [, level]) → (B,K) */
static int process_gather(lua_State *L)
{
    static const char *const names[] = {"signal", "noise", NULL};
    const int which = luaL_checkoption(L, 2, NULL, names);
    call c = begin(L, 4);
    set_level(&c, 4);
    c.rows.t = times_at(&c, 3, "t");
    an_tensor *out = result(&c, 2);
    return finish(&c, an_gather(&c.rows, (an_coefficient)which, an_f32(out)), out, NULL);
}

/* a and s for the call's rows, in the form that the recorded operations take. */
static void gather(call *c, an_tensor **signal, an_tensor **noise)
{
    *signal = result(c, 2);
    *noise = result(c, 2);
    if (an_gather(&c->rows, AN_SIGNAL, an_f32(*signal)) ||
        an_gather(&c->rows, AN_NOISE, an_f32(*noise)))
        raise(c);
}

static int finish_recorded(call *c, an_tensor *x)
{
    return x ? an_push_result(c->L, c->mark, x) : raise(c);
}

/* s:noised(y0, m, t, eps [, level]) → y_t */
static int process_noised(lua_State *L)
{
    call c = begin(L, 6);
    matrix(&c, 2, "y0"), matrix(&c, 3, "m"), matrix(&c, 5, "eps");
    an_tensor *signal, *noise;
    set_level(&c, 6);
    c.rows.t = times_at(&c, 4, "t");
    gather(&c, &signal, &noise);
    return finish_recorded(&c, an_noised(an_check_tensor(L, 2), an_check_tensor(L, 3),
                                         an_check_tensor(L, 5), signal, noise));
}

/* s:target("epsilon" | "y0" | "v", y0, m, t, eps [, level]) → the training target of the output */
static int process_target(lua_State *L)
{
    const int prediction = luaL_checkoption(L, 2, NULL, an_prediction_names);
    call c = begin(L, 7);
    matrix(&c, 3, "y0"), matrix(&c, 4, "m"), matrix(&c, 6, "eps");
    an_tensor *signal, *noise;
    set_level(&c, 7);
    c.rows.t = times_at(&c, 5, "t");
    gather(&c, &signal, &noise);
    return finish_recorded(&c,
                           an_target((an_prediction)prediction, an_check_tensor(L, 3),
                                     an_check_tensor(L, 4), an_check_tensor(L, 6), signal, noise));
}

/* s:forward_step(y, m, u, t, eps [, level]) → y_t from y at u < t */
static int process_forward_step(lua_State *L)
{
    call c = begin(L, 7);
    const float *y = matrix(&c, 2, "y"), *m = matrix(&c, 3, "m"), *e = matrix(&c, 6, "eps");
    set_level(&c, 7);
    c.rows.u = times_at(&c, 4, "u");
    c.rows.t = times_at(&c, 5, "t");
    an_tensor *y_t = result(&c, 2);
    return finish(&c, an_forward_step(&c.rows, y, m, e, an_f32(y_t)), y_t, NULL);
}

/* ── reverse ────────────────────────────────────────────────────────────────── */

/* s:posterior(u, t, z0, zt [, level]) → mean, variance of z_u */
static int process_posterior(lua_State *L)
{
    call c = begin(L, 6);
    const float *z0 = matrix(&c, 4, "z0"), *zt = matrix(&c, 5, "zt");
    set_level(&c, 6);
    c.rows.u = times_at(&c, 2, "u");
    c.rows.t = times_at(&c, 3, "t");
    an_tensor *mean = result(&c, 2), *variance = result(&c, 2);
    return finish(&c, an_posterior(&c.rows, z0, zt, an_f32(mean), an_f32(variance)), mean,
                  variance);
}

/* The estimates (ẑ0, ε̂) from the network's output, read according to the options at `arg`. */
static void estimates(call *c, int arg, const float *y, const float *m, const float *output,
                      an_tensor **z0, an_tensor **epsilon)
{
    const int prediction = an_opt_enum(c->L, arg, "prediction", an_prediction_names, 0);
    const double clip = an_opt_num(c->L, arg, "clip", 0);
    *z0 = result(c, 2);
    *epsilon = result(c, 2);
    if (an_estimate(&c->rows, (an_prediction)prediction, clip, y, m, output, an_f32(*z0),
                    an_f32(*epsilon)))
        raise(c);
}

/* s:estimate(y, m, output, t [, {prediction=, clip=} [, level]]) → z0, eps */
static int process_estimate(lua_State *L)
{
    call c = begin(L, 7);
    an_check_keys(L, 6, reading_names);
    const float *y = matrix(&c, 2, "y"), *m = matrix(&c, 3, "m"), *x = matrix(&c, 4, "output");
    an_tensor *z0, *epsilon;
    set_level(&c, 7);
    c.rows.t = times_at(&c, 5, "t");
    estimates(&c, 6, y, m, x, &z0, &epsilon);
    return finish(&c, AN_OK, z0, epsilon);
}

/* s:ddim_step(y, m, output, t, u [, {eta=, noise=, prediction=, clip=} [, level]])
 * → y_u, z0 */
static int process_ddim_step(lua_State *L)
{
    call c = begin(L, 8);
    an_check_keys(L, 7, reading_names);
    const float *y = matrix(&c, 2, "y"), *m = matrix(&c, 3, "m"), *x = matrix(&c, 4, "output");
    an_tensor *z0, *epsilon;
    set_level(&c, 8);
    c.rows.t = times_at(&c, 5, "t");
    c.rows.u = times_at(&c, 6, "u");
    const double eta = an_opt_num(L, 7, "eta", 0);
    const float *noise = opt_matrix(&c, 7, "noise");
    estimates(&c, 7, y, m, x, &z0, &epsilon);
    an_tensor *y_u = result(&c, 2);
    return finish(&c,
                  an_ddim_step(&c.rows, eta, m, an_f32(z0), an_f32(epsilon), noise, an_f32(y_u)),
                  y_u, z0);
}

/* s:dpm_step(y, m, output, t, u [, {previous_z0=, previous_t=, prediction=, clip=} [, level]]) →
 * y_u, z0: the next step takes z0 and t as previous_z0 and previous_t */
static int process_dpm_step(lua_State *L)
{
    call c = begin(L, 8);
    an_check_keys(L, 7, reading_names);
    const float *y = matrix(&c, 2, "y"), *m = matrix(&c, 3, "m"), *x = matrix(&c, 4, "output");
    an_tensor *z0, *epsilon;
    set_level(&c, 8);
    c.rows.t = times_at(&c, 5, "t");
    c.rows.u = times_at(&c, 6, "u");
    const float *before = opt_matrix(&c, 7, "previous_z0");
    const bool timed =
        lua_istable(L, 7) && (lua_pushliteral(L, "previous_t"), lua_rawget(L, 7) != LUA_TNIL);
    const int64_t *t_before = timed ? times_at(&c, lua_gettop(L), "previous_t") : NULL;
    estimates(&c, 7, y, m, x, &z0, &epsilon);
    an_tensor *y_u = result(&c, 2);
    return finish(&c, an_dpm_step(&c.rows, y, m, an_f32(z0), before, t_before, an_f32(y_u)), y_u,
                  z0);
}

const luaL_Reg an_process_methods[] = {
    {"levels_of_labels", process_levels_of_labels},
    {"levels_of_priors", process_levels_of_priors},
    {"levels_of_uncertainty", process_levels_of_uncertainty},
    {"times_of_labels", process_times_of_labels},
    {"gather", process_gather},
    {"noised", process_noised},
    {"target", process_target},
    {"forward_step", process_forward_step},
    {"posterior", process_posterior},
    {"estimate", process_estimate},
    {"ddim_step", process_ddim_step},
    {"dpm_step", process_dpm_step},
    {NULL, NULL},
};

/* ── the vote ───────────────────────────────────────────────────────────────── */

/* The list of κ_j (K) at `arg`, or NULL if there is none. It stays on the stack. */
static const double *opt_kappa(lua_State *L, int arg, int64_t K)
{
    return lua_isnoneornil(L, arg) ? NULL : an_check_doubles(L, arg, K, NULL);
}

/* tilt(x (B,K), kappa) → (B,K) ∝ max(x, 0) exp(κ) */
int an_schedule_tilt(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    if (an_expect(x, "x", AN_F32, 2))
        return an_raise(L);
    const double *kappa = an_check_doubles(L, 2, x->shape[1], NULL);
    call c = {.L = L, .mark = an_scope_begin(), .rows = {.B = x->shape[0]}, .K = x->shape[1]};
    x = plain(&c, x);
    an_tensor *out = result(&c, 2);
    return finish(&c, an_tilt(c.rows.B, c.K, kappa, an_f32(x), an_f32(out)), out, NULL);
}

/* vote(y0 (B·R,K), "distance" | "plain", temperature, R [, kappa])
 * → probability (B,K), width (B,K), agreement (B) */
int an_schedule_vote(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    const int kind = luaL_checkoption(L, 2, "distance", an_vote_names);
    const double temperature = luaL_optnumber(L, 3, 1);
    const int64_t R = lua_isnoneornil(L, 4) ? 1 : an_check_within(L, 4, "R", 1, AN_COUNT_MAX);
    if (an_expect(x, "y0", AN_F32, 2))
        return an_raise(L);
    luaL_argcheck(L, x->shape[0] % R == 0, 4, "the rows are not a multiple of R chains");
    const double *kappa = opt_kappa(L, 5, x->shape[1]);
    call c = {.L = L, .mark = an_scope_begin(), .rows = {.B = x->shape[0] / R}, .K = x->shape[1]};
    x = plain(&c, x);
    an_tensor *p = result(&c, 2), *width = result(&c, 2), *agreement = result(&c, 1);
    const an_code code = an_vote((an_vote_kind)kind, temperature, kappa, c.rows.B, R, c.K,
                                 an_f32(x), an_f32(p), an_f32(width), an_f32(agreement));
    if (code == AN_OK) {
        an_push_tensor(L, p);
        an_push_tensor(L, width);
    }
    return finish(&c, code, agreement, NULL) + 2;
}
