/* attention_avx512: the attention of one head with vectors of 16 floats. */
#include "base/simd.h"

#ifdef AN_SIMD_X86
#define AN_VECTOR 16
#include "kernel/attention/attention_body.h"
#endif
