/* ranks_link: what a message between two ranks costs, by the calls of base/ranks/ranks.h.
 *
 *     make MPI=1 build/mpi/tests/bench/ranks_link && mpirun -n 2 build/mpi/tests/bench/ranks_link
 *
 * Prints the latency in microseconds (half of the way there and back of one float), the bandwidth
 * in GB/s of 16 MiB from rank 0 to rank 1, and the GB/s at which a rank adds the numbers of another
 * to its own, without the message. Least times of many rounds: a loaded machine makes them longer.
 */
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "base/memory/mem.h"
#include "base/ranks/ranks.h"

enum { ROUNDS = 2000, LARGE = 4 << 20, LARGE_ROUNDS = 20 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of n floats there and one back. */
static double there_and_back(float *x, int64_t n)
{
    double start = now();
    if (an_rank() == 0) {
        an_ranks_send(1, x, n);
        an_ranks_receive(1, x, 1);
    } else {
        an_ranks_receive(0, x, n);
        an_ranks_send(0, x, 1);
    }
    return now() - start;
}

static double least(float *x, int64_t n, int rounds)
{
    double best = there_and_back(x, n);
    for (int i = 0; i < rounds; i++) {
        double time = there_and_back(x, n);
        best = time < best ? time : best;
    }
    return best;
}

/* Seconds of x += other, as the sums of ranks.c are. */
static double addition(float *x, const float *other)
{
    double best = 1e9;
    for (int round = 0; round < LARGE_ROUNDS; round++) {
        double start = now();
        for (int64_t i = 0; i < LARGE; i++)
            x[i] += other[i];
        double time = now() - start;
        best = time < best ? time : best;
    }
    return best;
}

int main(void)
{
    if (an_ranks_start() != AN_OK || an_ranks() != 2) {
        fprintf(stderr, "ranks_link: requires mpirun -n 2 and a build with MPI\n");
        return 2;
    }
    float *x = an_calloc(2 * LARGE, sizeof *x);
    if (!x)
        an_ranks_abandon();
    double small = least(x, 1, ROUNDS), large = least(x, LARGE, LARGE_ROUNDS);
    double bytes = sizeof(float) * (double)LARGE, add = addition(x, x + LARGE);
    if (an_rank() == 0)
        printf("latency_us %.2f bandwidth_GB %.2f addition_GB %.2f\n", 1e6 * small / 2,
               1e-9 * bytes / (large - small / 2), 1e-9 * bytes / add);
    an_free(x);
    an_ranks_end();
    return 0;
}
