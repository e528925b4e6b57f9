/* attention_avx2: the attention of one head with vectors of 8 floats. */
#include "base/simd.h"

#ifdef AN_SIMD_X86
#define AN_VECTOR 8
#include "kernel/attention/attention_body.h"
#endif
