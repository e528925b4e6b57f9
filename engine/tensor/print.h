/* print: a tensor as readable text: type, shape, a corner of the numbers, and min / mean / max if
 * some are not shown. */
#ifndef AN_TENSOR_PRINT_H
#define AN_TENSOR_PRINT_H

#include "tensor/tensor.h"

/* The text, to be released by an_free(); NULL after an_fail(). */
char *an_tensor_text(const an_tensor *x);

#endif
