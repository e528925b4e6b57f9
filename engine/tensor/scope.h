/* scope: releases the intermediate tensors of a computation.
 *
 *     size_t mark = an_scope_begin();
 *     an_tensor *y = an_map(an_linear(x, w, b), AN_RELU);
 *     y = an_scope_end(mark, y);        // releases every tensor made since `mark` except y,
 *                                       // which the enclosing scope owns from here on
 *
 * Scopes nest: the last one begun ends first. A scope that an error leaves open ends with the scope
 * around it. The stack of owned tensors is per thread; only the main thread creates tensors. */
#ifndef AN_TENSOR_SCOPE_H
#define AN_TENSOR_SCOPE_H

#include "tensor/tensor.h"

size_t an_scope_begin(void);
/* keep [opt]; returns it, or NULL after AN_ENOMEM. Mark 0 ends every scope. */
an_tensor *an_scope_end(size_t mark, an_tensor *keep);
/* Passes one reference to x [opt] from the caller to the current scope, which will release it. On
 * AN_ENOMEM x is released at once and the result is NULL. */
an_tensor *an_scope_own(an_tensor *x);

/* Returns the memory of released tensors to the system, and that of the stack if no scope owns a
 * tensor. */
void an_tensor_trim(void);

#endif
