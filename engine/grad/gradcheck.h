/* gradcheck: compares gradients with finite differences, to test every backward rule. */
#ifndef AN_GRAD_GRADCHECK_H
#define AN_GRAD_GRADCHECK_H

#include "tensor/tensor.h"

/* A function under test: reads its inputs and returns a float32 tensor of any shape. It must be
 * pure: the same inputs give the same output. */
typedef an_tensor *(*an_check_fn)(an_tensor **inputs, void *ctx);

/* Compares the gradient of L = Σ d·fn(inputs), d a fixed random direction, with the central
 * difference (L(x+step) − L(x−step)) / 2·step, at every element of the n inputs that require a
 * gradient (for a large input, at a seeded sample of 48). NULL inputs are passed on. step > 0. The
 * error is |analytic − numeric| / max(1, |analytic|, |numeric|); if the worst one exceeds
 * `tolerance` (or is not a number), an_fail(AN_EINVAL) reports it.
 * In float32 a step of 1e-2 and a tolerance of 1e-2 suit smooth functions of magnitude 1. Inputs
 * have no repeated elements (no broadcast views); their .grad is released before and after. */
an_code an_gradcheck(an_check_fn fn, an_tensor **inputs, int n, void *ctx, double step,
                     double tolerance);

#endif
