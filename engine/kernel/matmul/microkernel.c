/* microkernel: see microkernel.h. Selects the vector width. A tile whose columns are not a multiple
 * of 16 is computed with more columns, in a tile on the stack. */
#include "kernel/matmul/microkernel.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/integer.h"
#include "kernel/matmul/microkernel_dispatch.h"

enum { ROWS = AN_MICRO_ROWS, COLUMNS = AN_MICRO_COLUMNS };

void an_k_micro_panel(const an_micro_panel *job)
{
    AN_ASSERT_SLOW(job->columns >= 0 && job->columns % AN_LANES == 0);
    AN_ASSERT_SLOW(job->b_step >= job->columns && job->out_step >= job->columns);
    AN_MICRO_ACTIVE(panel)(job);
}

void an_k_micro_rows(const an_micro_rows *job)
{
    AN_ASSERT_SLOW(job->columns >= 1 && job->columns <= COLUMNS);
    AN_ASSERT_SLOW(job->b_step >= an_round_up(job->columns, AN_LANES));
    if (job->columns % AN_LANES == 0) {
        AN_MICRO_ACTIVE(rows)(job);
        return;
    }
    float tile[ROWS][COLUMNS];
    float *out[ROWS];
    for (int m = 0; m < ROWS; m++)
        out[m] = tile[m];
    an_micro_rows whole = *job;
    whole.columns = an_round_up(job->columns, AN_LANES);
    whole.out = out;
    whole.bias = NULL;
    whole.accumulate = false;
    AN_MICRO_ACTIVE(rows)(&whole);
    for (int m = 0; m < ROWS; m++)
        for (int64_t n = 0; n < job->columns; n++)
            job->out[m][n] = tile[m][n] + (job->bias ? job->bias[n] : 0) +
                             (job->accumulate ? job->out[m][n] : 0);
}

void an_k_micro_outer(const an_micro_outer *job)
{
    AN_ASSERT_SLOW(job->columns % AN_LANES == 0 ||
                   (job->rows <= ROWS && job->columns >= 1 && job->columns <= COLUMNS));
    AN_ASSERT_SLOW(job->out_step >= job->columns);
    if (job->columns % AN_LANES == 0) {
        AN_MICRO_ACTIVE(outer)(job);
        return;
    }
    float tile[ROWS][COLUMNS];
    an_micro_outer whole = *job;
    whole.columns = an_round_up(job->columns, AN_LANES);
    whole.out = tile[0];
    whole.out_step = COLUMNS;
    whole.accumulate = false;
    AN_MICRO_ACTIVE(outer)(&whole);
    for (int64_t m = 0; m < job->rows; m++)
        for (int64_t n = 0; n < job->columns; n++) {
            float *to = job->out + m * job->out_step + n;
            *to = tile[m][n] + (job->accumulate ? *to : 0);
        }
}
