/* microkernel_baseline: the loops of microkernel.h and attention.h with vectors of 4 floats, for
 * any machine. */
#include <stdint.h>

#define TARGET
#define NAME(f) an_micro_baseline_##f

typedef float four __attribute__((vector_size(16)));
typedef float four_anywhere __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t four_choices __attribute__((vector_size(16)));

static inline four larger(four a, four b)
{
    four_choices first = a > b;
    return (four)((first & (four_choices)a) | (~first & (four_choices)b));
}

#define V four
#define LOAD(p) (*(const four_anywhere *)(p))
#define STORE(p, v) (*(four_anywhere *)(p) = (v))
#define SPREAD(x) ((four){(x), (x), (x), (x)})
#define ADD(a, b) ((a) + (b))
#define FMA(a, b, c) ((a) * (b) + (c))
#define MAX larger
enum { LANES = 4, VECS = 2 };
#define ROWS 4

#include "kernel/matmul/microkernel_body.h"
#include "kernel/attention/attention_body.h"
