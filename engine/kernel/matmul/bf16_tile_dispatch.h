/* bf16_tile_dispatch: the variants of bf16_tile.h per CPU instruction set. Internal to
 * bf16_tile*.c. */
#ifndef AN_KERNEL_MATMUL_BF16_TILE_DISPATCH_H
#define AN_KERNEL_MATMUL_BF16_TILE_DISPATCH_H

#include "base/simd.h"
#include "kernel/matmul/bf16_tile_job.h"

#ifdef AN_SIMD_X86
void an_bf16_amx_begin(void);
void an_bf16_amx_end(void);
void an_bf16_amx_tile(const an_bf16_tile *j);
void an_bf16_avx512_tile(const an_bf16_tile *j);
#endif

static inline int64_t an_bf16_at(const an_bf16_tile *j, int64_t step)
{
    return j->at ? j->at[step] : step * AN_BF16_DEPTH;
}

#endif
