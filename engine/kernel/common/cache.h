/* cache: the cache sizes that kernels cut their work to, each with its reason.
 *
 * They are constants, not read from the machine at start: a cut determines the order of a sum, and
 * the same seed must give the same bits on every CPU. They fit the smaller server cores of recent
 * years (Zen 4: 32 KiB L1, 1 MiB L2 per core; Sapphire Rapids: 48 KiB, 2 MiB). */
#ifndef AN_KERNEL_COMMON_CACHE_H
#define AN_KERNEL_COMMON_CACHE_H

#include <stdint.h>

enum {
    /* Floats of a cache line (64 bytes), which is also the widest vector (AVX-512). Columns of
     * packed matrices, channels of Winograd tiles and running sums come in multiples of it. Every
     * vector width divides it, so a sum of AN_LANES running sums has the same bits at each. */
    AN_LANES = 16,

    /* L1 data cache of a core. An inner loop's operands should fit. */
    AN_L1_BYTES = 32 * 1024,

    /* L2 cache of a core. */
    AN_L2_BYTES = 1024 * 1024,

    /* Both operands of a block that one loop writes and the next reads. Half of L2: the other half
     * is for data that streams through meanwhile. */
    AN_L2_BLOCK_BYTES = AN_L2_BYTES / 2,

    /* An operand that every block of a task reads again, such as packed weights. Three eighths of
     * L2: it must stay cached while the task's other operands stream through. */
    AN_L2_REUSED_BYTES = AN_L2_BYTES * 3 / 8,

    /* What a task may pass over several times although it is larger than L2: about the share of
     * the last-level cache that a core can count on (32 MiB for 8 cores of Zen 4, plus its L2). */
    AN_L3_SHARE_BYTES = 6 * 1024 * 1024,

    /* Elements of a chunk of an element-wise loop: 64 KiB per array, so two or three arrays stay in
     * L2. With fewer, starting the threads costs more than the loop. Measured on a 2-core EPYC: an
     * OpenMP region takes 1 µs where threads spin and 6 to 11 µs where they sleep; ReLU and GELU of
     * 16,384 elements take 2 and 6 µs. */
    AN_GRAIN = 16384
};

/* Rows of a chunk, for rows of `each` elements: AN_GRAIN elements, but at least one row. */
static inline int64_t an_row_grain(int64_t each)
{
    return each < 1 ? AN_GRAIN : each < AN_GRAIN ? AN_GRAIN / each : 1;
}

#endif
