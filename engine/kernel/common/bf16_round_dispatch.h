/* bf16_round_dispatch: the variant of bf16_round.h for CPUs with AVX512_BF16. Internal to
 * bf16_round*.c. */
#ifndef AN_KERNEL_COMMON_BF16_ROUND_DISPATCH_H
#define AN_KERNEL_COMMON_BF16_ROUND_DISPATCH_H

#include <stdint.h>

void an_bf16_avx512_round(uint16_t *to, const float *from, int64_t n);

#endif
