/* microkernel_dispatch: the loops of microkernel.h by vector width, columns in sixteens, and the
 * choice of a width. Internal to micro*.c and attention*.c. */
#ifndef AN_KERNEL_MATMUL_MICROKERNEL_DISPATCH_H
#define AN_KERNEL_MATMUL_MICROKERNEL_DISPATCH_H

#include "base/simd.h"
#include "kernel/matmul/microkernel.h"

void an_micro_baseline_rows(const an_micro_rows *job);
void an_micro_baseline_panel(const an_micro_panel *job);
void an_micro_baseline_outer(const an_micro_outer *job);
#if defined(__x86_64__) && defined(__GNUC__)
#define AN_MICRO_X86 1
void an_micro_avx2_rows(const an_micro_rows *job);
void an_micro_avx2_panel(const an_micro_panel *job);
void an_micro_avx2_outer(const an_micro_outer *job);
void an_micro_avx512_rows(const an_micro_rows *job);
void an_micro_avx512_panel(const an_micro_panel *job);
void an_micro_avx512_outer(const an_micro_outer *job);
#endif

/* Of what comes in a version per width, an_micro_…_NAME, the one that is in force. */
#ifdef AN_MICRO_X86
#define AN_MICRO_ACTIVE(name)                                                                      \
    (an_simd_level() == AN_SIMD_AVX512 ? &an_micro_avx512_##name                                   \
     : an_simd_level() == AN_SIMD_AVX2 ? &an_micro_avx2_##name                                     \
                                       : &an_micro_baseline_##name)
#else
#define AN_MICRO_ACTIVE(name) (&an_micro_baseline_##name)
#endif

#endif
