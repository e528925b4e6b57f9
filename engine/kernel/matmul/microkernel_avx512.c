/* microkernel_avx512: the loops of microkernel.h with vectors of 16 floats. */
#include "base/simd.h"

#ifdef AN_SIMD_X86
#define AN_VECTOR 16
#include "kernel/matmul/microkernel_body.h"
#endif
