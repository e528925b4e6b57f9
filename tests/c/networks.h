/* networks: fixtures shared by the tests of engine/model. Every test runs between setup() and
 * teardown(): it starts with an empty scope and must free all memory that it allocates. */
#ifndef AN_TESTS_NETWORKS_H
#define AN_TESTS_NETWORKS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory/mem.h"
#include "base/rng.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "model/module.h"
#include "tensor/scope.h"
#include "worse.h"

#define SHAPE(...)                                                                                 \
    (int64_t[])                                                                                    \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static inline an_tensor *normal(uint64_t stream, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    assert_non_null(x);
    an_fill_normal(an_f32(x), an_numel(x), 7, stream, 0);
    return x;
}

static inline an_tensor *times(const int64_t *values, int64_t n)
{
    an_tensor *t = an_tensor_new(AN_I64, 1, &n);
    memcpy(an_i64(t), values, (size_t)n * sizeof *values);
    return t;
}

static inline void assert_shape(const an_tensor *x, const char *expected)
{
    if (!x)
        fail_msg("no tensor: %s", an_err_message());
    assert_string_equal(an_shape_text(x), expected);
}

static inline double distance(const an_tensor *a, const an_tensor *b)
{
    assert_true(an_same_shape(a, b));
    double worst = 0;
    for (int64_t i = 0; i < an_numel(a); i++)
        worst = worse(worst, fabs((double)an_f32(a)[i] - an_f32(b)[i]));
    return worst;
}

/* Adds random noise to every parameter: an initial value of zero would mask errors. */
static inline void randomise(an_module *m)
{
    an_tensor *values = an_module_values(m), *noise = normal(1, 1, values->shape);
    for (int64_t i = 0; i < an_numel(values); i++)
        an_f32(values)[i] += 0.3f * an_f32(noise)[i];
}

static int64_t live;

static inline int setup(void **state)
{
    (void)state;
    an_tensor_trim();
    live = an_mem_live();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    an_scope_end(0, NULL);
    an_tape_clear();
    an_tensor_trim();
    return an_mem_live() == live ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
