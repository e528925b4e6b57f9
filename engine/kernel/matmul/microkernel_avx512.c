/* microkernel_avx512: the loops of microkernel.h and attention.h with vectors of 16 floats. */
#include "kernel/matmul/microkernel_dispatch.h"

#ifdef AN_MICRO_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define NAME(f) an_micro_avx512_##f
#define V __m512
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define SPREAD(x) _mm512_set1_ps(x)
#define ADD _mm512_add_ps
#define FMA _mm512_fmadd_ps
#define MAX _mm512_max_ps
enum { LANES = 16, VECS = 2 };
#define ROWS 8

#include "kernel/matmul/microkernel_body.h"
#include "kernel/attention/attention_body.h"
#endif
