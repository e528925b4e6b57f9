/* microkernel_avx2: the loops of microkernel.h and attention.h with vectors of 8 floats. */
#include "kernel/matmul/microkernel_dispatch.h"

#ifdef AN_MICRO_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define NAME(f) an_micro_avx2_##f
#define V __m256
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define SPREAD(x) _mm256_set1_ps(x)
#define ADD _mm256_add_ps
#define FMA _mm256_fmadd_ps
#define MAX _mm256_max_ps
enum { LANES = 8, VECS = 2 };
#define ROWS 4

#include "kernel/matmul/microkernel_body.h"
#include "kernel/attention/attention_body.h"
#endif
