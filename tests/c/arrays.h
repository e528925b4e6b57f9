/* arrays: random arrays and comparisons, shared by the kernel tests. */
#ifndef AN_TESTS_ARRAYS_H
#define AN_TESTS_ARRAYS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/memory/mem.h"
#include "base/par.h"
#include "base/rng.h"

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

/* n standard normal floats, determined by the stream; the caller frees them with an_free(). */
static inline float *normals(int64_t n, uint64_t stream)
{
    float *x = an_alloc(sizeof(float) * (size_t)(n + 1));
    assert_non_null(x);
    an_fill_normal(x, n, 7, stream, 0);
    return x;
}

/* |got − expected| ≤ tolerance·(1 + |expected|) for each element; `what` names the case. */
static inline void assert_close(const float *got, const float *expected, int64_t n,
                                double tolerance, const char *what)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)expected[i]) <=
              tolerance * (1 + fabs((double)expected[i]))))
            fail_msg("%s, element %lld of %lld: got %.8g, expected %.8g", what, (long long)i,
                     (long long)n, (double)got[i], (double)expected[i]);
}

#endif
