/* packed: a matrix B (K,N) packed once for many products C = A·B.
 *
 * B is cut into panels of AN_PANEL = 32 columns, the width of microkernel.h's tile. Panel p starts
 * at float K·32·p and holds (K, width) row by row; width is 32, or 16 if at most 16 columns are
 * left. Columns from N to the next multiple of 16 are zero. A panel is read from the first to the
 * last element, whatever N is, and several threads may multiply by one packed B.
 *
 * Every element of C is one sum in order of k, whatever the other rows of A are: the bits of a row
 * do not depend on the block of rows in which it is computed.
 *
 * Cost of packing: a pass over B, about 1 ns per 8 floats. */
#ifndef AN_KERNEL_MATMUL_PACKED_H
#define AN_KERNEL_MATMUL_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/integer.h"
#include "kernel/common/cache.h"
#include "kernel/common/prefetch.h"
#include "kernel/matmul/microkernel.h"

enum { AN_PANEL = AN_MICRO_COLUMNS };

typedef struct {
    const float *data;
    int64_t K, N;
} an_packed;

/* ── layout ─────────────────────────────────────────────────────────────────────────────── */

static inline int64_t an_panel_count(int64_t N)
{
    return an_div_up(N, AN_PANEL);
}

/* Columns of B that panel p holds: 1 … 32. */
static inline int64_t an_panel_columns(int64_t N, int64_t p)
{
    return an_min(N - p * AN_PANEL, AN_PANEL);
}

/* Floats from one row of panel p to the next: 32 or 16. */
static inline int64_t an_panel_width(int64_t N, int64_t p)
{
    return an_panel_columns(N, p) > AN_LANES ? AN_PANEL : AN_LANES;
}

/* Where panel p starts, in floats. */
static inline int64_t an_panel_start(int64_t K, int64_t p)
{
    return p * K * AN_PANEL;
}

/* Where element (k, n) is, in floats. */
static inline int64_t an_packed_index(int64_t K, int64_t N, int64_t k, int64_t n)
{
    int64_t p = n / AN_PANEL;
    return an_panel_start(K, p) + k * an_panel_width(N, p) + n % AN_PANEL;
}

/* Floats of all panels. */
static inline int64_t an_packed_floats(int64_t K, int64_t N)
{
    return K * an_round_up(N, AN_LANES);
}

/* ── packing ────────────────────────────────────────────────────────────────────────────── */

/* Packs B (K,N), rows ldb floats apart; if `transposed`, it is stored as (N,K), like the weights of
 * nn.Linear. `data` holds an_packed_floats(K, N). Uses all threads if B is large, so call it
 * outside parallel regions. */
an_packed an_k_pack(float *data, bool transposed, const float *B, int64_t ldb, int64_t K,
                    int64_t N);

/* The same for panel p only, on the calling thread. */
void an_k_pack_panel(float *data, bool transposed, const float *B, int64_t ldb, int64_t K,
                     int64_t N, int64_t p);

/* Packs part of a panel with its rows in another order: `columns` (1 … 32) arrays of K floats,
 * `step` apart, become the columns of `panel`; element k of each goes to row
 * k % inner · jump + k / inner. `width` as an_panel_width(). On the calling thread. */
void an_k_pack_permuted(float *panel, int64_t width, const float *from, int64_t step,
                        int64_t columns, int64_t K, int64_t inner, int64_t jump);

/* ── product ────────────────────────────────────────────────────────────────────────────── */

/* C (M,N) ← A (M,K)·B + (bias (N), or nothing if NULL) + (C if `accumulate`), on the calling
 * thread. Rows of A are lda ≥ K floats apart, rows of C ldc ≥ N; C overlaps no other operand. One
 * share of `prefetch` (may be NULL) is prefetched per tile of 8 rows by a panel. Cost: 2·M·N·K
 * operations, fastest where N is a multiple of 16. */
void an_k_packed_product(float *C, int64_t ldc, const float *A, int64_t lda, int64_t M,
                         const an_packed *B, const float *bias, bool accumulate,
                         an_prefetch *prefetch);

#endif
