/* rules: checks and fixtures, shared by the tests of the backward rules. */
#ifndef AN_TESTS_RULES_H
#define AN_TESTS_RULES_H

#include "arrays.h"
#include "grad/gradcheck.h"
#include "grad/tape.h"
#include "tensor/scope.h"

/* SHAPE(2, 3) is the two arguments ndim, shape. */
#define SHAPE(...)                                                                                 \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[])                         \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* Compares the gradients of fn with finite differences. Inputs are of order 1 and away from kinks.
 */
static inline void check_gradients(an_check_fn fn, an_tensor **inputs, int n, void *ctx)
{
    if (an_gradcheck(fn, inputs, n, ctx, 1e-2, 5e-3))
        fail_msg("%s", an_err_message());
}

/* Asserts that x is NULL and that the error message contains `words`. */
static inline void assert_error(const an_tensor *x, const char *words)
{
    assert_null(x);
    assert_int_equal(an_err_code(), AN_EINVAL);
    if (!strstr(an_err_message(), words))
        fail_msg("\"%s\" does not contain \"%s\"", an_err_message(), words);
}

/* Each test runs in its own scope and frees all memory that it allocates. */
static inline int setup(void **state)
{
    static int64_t before[2];
    before[0] = an_mem_live();
    before[1] = (int64_t)an_scope_begin();
    *state = before;
    return 0;
}

static inline int teardown(void **state)
{
    int64_t *before = *state;
    an_tape_clear();
    an_scope_end((size_t)before[1], NULL);
    an_tensor_trim();
    return an_mem_live() > before[0] ? -1 : 0;
}

#endif
