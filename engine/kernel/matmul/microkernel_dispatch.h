/* microkernel_dispatch: the variants of microkernel.h's loops per vector width (columns a multiple
 * of 16), and their selection. Internal to microkernel*.c and attention*.c. */
#ifndef AN_KERNEL_MATMUL_MICROKERNEL_DISPATCH_H
#define AN_KERNEL_MATMUL_MICROKERNEL_DISPATCH_H

#include "base/simd.h"
#include "kernel/matmul/microkernel_job.h"

void an_micro_baseline_rows(const an_micro_rows *job);
void an_micro_baseline_panel(const an_micro_panel *job);
void an_micro_baseline_outer(const an_micro_outer *job);
#ifdef AN_SIMD_X86
void an_micro_avx2_rows(const an_micro_rows *job);
void an_micro_avx2_panel(const an_micro_panel *job);
void an_micro_avx2_outer(const an_micro_outer *job);
void an_micro_avx512_rows(const an_micro_rows *job);
void an_micro_avx512_panel(const an_micro_panel *job);
void an_micro_avx512_outer(const an_micro_outer *job);
#endif

/* Selects the active one of the variants an_micro_WIDTH_NAME. */
#ifdef AN_SIMD_X86
#define AN_MICRO_ACTIVE(name)                                                                      \
    (an_simd_level() == AN_SIMD_AVX512 ? &an_micro_avx512_##name                                   \
     : an_simd_level() == AN_SIMD_AVX2 ? &an_micro_avx2_##name                                     \
                                       : &an_micro_baseline_##name)
#else
#define AN_MICRO_ACTIVE(name) (&an_micro_baseline_##name)
#endif

#endif
