/* microkernel_baseline: the loops of microkernel.h with vectors of 4 floats, for any machine. */
#define AN_VECTOR 4
#include "kernel/matmul/microkernel_body.h"
