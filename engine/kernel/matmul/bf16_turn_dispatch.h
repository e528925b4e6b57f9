/* bf16_turn_dispatch: the variants of bf16_turn.h's loops for CPUs with AVX512_BF16. Internal to
 * bf16_turn*.c. */
#ifndef AN_KERNEL_MATMUL_BF16_TURN_DISPATCH_H
#define AN_KERNEL_MATMUL_BF16_TURN_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

void an_bf16_avx512_turn(uint16_t *to, int64_t ld, const void *from, bool narrow, int64_t apart,
                         int64_t n, int64_t count);
void an_bf16_avx512_pairs(uint16_t *to, int64_t block, const void *from, bool narrow, int64_t rows,
                          int64_t N);

#endif
