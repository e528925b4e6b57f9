/* microkernel_avx2: the loops of microkernel.h with vectors of 8 floats. */
#include "base/simd.h"

#ifdef AN_SIMD_X86
#define AN_VECTOR 8
#include "kernel/matmul/microkernel_body.h"
#endif
