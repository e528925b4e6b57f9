/* scope: who frees the intermediate tensors of a computation.
 *
 *     size_t mark = an_scope_begin();
 *     an_tensor *y = an_map(AN_RELU, an_linear(x, w, b));
 *     y = an_scope_end(mark, y);        // everything made since mark is released but y,
 *                                       // which now belongs to the enclosing scope
 * Scopes are a per-thread stack; tensors are made by the main thread only. */
#ifndef AN_TENSOR_SCOPE_H
#define AN_TENSOR_SCOPE_H

#include "tensor/tensor.h"

size_t an_scope_begin(void);
an_tensor *an_scope_end(size_t mark, an_tensor *keep); /* keep may be NULL */
void an_scope_trim(void); /* the stack's own memory goes back if no scope holds a tensor */
/* Internal to tensor/: hands a new tensor (refs = 1) to the current scope. */
an_tensor *an_scope_own(an_tensor *x);

#endif
