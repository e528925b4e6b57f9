/* worse: the largest of several errors, of which one that is NaN is the largest; fmax() would drop
 * it. */
#ifndef AN_TESTS_WORSE_H
#define AN_TESTS_WORSE_H

#include <math.h>

static inline double worse(double error, double other)
{
    return isnan(error) || other <= error ? error : other;
}

#endif
