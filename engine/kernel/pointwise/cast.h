/* cast: arrays between float32 and bf16, in parallel. */
#ifndef AN_KERNEL_POINTWISE_CAST_H
#define AN_KERNEL_POINTWISE_CAST_H

#include <stdint.h>

/* to (n) = from + beta·to, beta 0 (to is not read) or 1; the sum is computed in float32 and rounded
 * once. */
void an_k_narrow(uint16_t *to, const float *from, float beta, int64_t n);
void an_k_widen(float *to, const uint16_t *from, float beta, int64_t n);

#endif
