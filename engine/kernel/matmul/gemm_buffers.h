/* gemm_buffers: the memory that OpenBLAS allocates for itself. */
#ifndef AN_KERNEL_MATMUL_GEMM_BUFFERS_H
#define AN_KERNEL_MATMUL_GEMM_BUFFERS_H

#include "base/err.h"

/* OpenBLAS maps a buffer of 128 MiB for each thread that multiplies, and keeps it. If the mapping
 * fails, blas_memory_alloc (0.3.21) repeats it forever. Under a limit on the address space (ulimit
 * -v) this function checks that all buffers fit and makes OpenBLAS map them, before tensors take
 * the space. AN_ENOMEM if they do not fit. Without such a limit it does nothing. */
an_code an_k_gemm_reserve(void);

#endif
