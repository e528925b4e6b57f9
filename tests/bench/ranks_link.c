/* ranks_link: what a message between two ranks costs, by the calls of base/ranks/ranks.h.
 *
 *     make MPI=1 build/mpi/tests/bench/ranks_link && mpirun -n 2 build/mpi/tests/bench/ranks_link
 *
 * Prints the latency in microseconds (half of the way there and back of one float), the bandwidth
 * in GB/s of 16 MiB from rank 0 to rank 1, and the GB/s at which a rank adds the numbers of another
 * to its own, without the message. Least times of many rounds: a loaded machine makes them longer.
 *
 *     … ranks_link CALLS BYTES CALLS BYTES …, for the kinds share, send, receive, add, gather
 *
 * Repeats the messages of a step without its computation: so many calls and bytes of each kind, as
 * rank 0 counts them, calls of one kind being equally long. Prints the median milliseconds.
 */
#include <stdio.h>
#include <stdlib.h>
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

/* ── the messages of a step ───────────────────────────────────────────────────── */

enum { REPLAYS = 101, BUFFER = 64 << 20 };

typedef struct {
    int calls;
    int64_t bytes; /* of one call */
} messages;

/* Rank 0's seconds of one round; x, other: work space. */
static double replay(const messages kind[AN_TRAFFIC_KINDS], float *x, float *other)
{
    const int first = an_rank() == 0;
    double sum = 0, unused = 0;
    an_ranks_add(&sum, &unused, 1); /* begin together */
    const double start = now();
    for (int k = 0; k < AN_TRAFFIC_KINDS; k++)
        for (int i = 0; i < kind[k].calls; i++) {
            const int64_t floats = kind[k].bytes / (int64_t)sizeof *x;
            if (k == AN_TRAFFIC_SHARE) {
                an_ranks_share_floats(x, floats);
            } else if (k == AN_TRAFFIC_ADD) {
                an_ranks_add((double *)x, (double *)other, floats / 2);
            } else if (k == AN_TRAFFIC_GATHER) {
                an_ranks_gather_start(x, other, floats);
                an_ranks_gather_finish(x, other, floats);
            } else if ((k == AN_TRAFFIC_SEND) == first) {
                an_ranks_send(1 - an_rank(), x, floats);
            } else {
                an_ranks_receive(1 - an_rank(), x, floats);
            }
        }
    return now() - start;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void replay_all(char **words, float *x, float *other)
{
    messages kind[AN_TRAFFIC_KINDS];
    double times[REPLAYS];
    for (int k = 0; k < AN_TRAFFIC_KINDS; k++) {
        const double bytes = atof(words[2 * k + 1]);
        kind[k].calls = atoi(words[2 * k]);
        kind[k].bytes = kind[k].calls > 0 ? (int64_t)(bytes / kind[k].calls) : 0;
        if (kind[k].bytes < 0 || kind[k].bytes > BUFFER) {
            fprintf(stderr, "ranks_link: a call of %g bytes\n", bytes);
            an_ranks_abandon();
        }
    }
    for (int i = 0; i < REPLAYS; i++)
        times[i] = replay(kind, x, other);
    qsort(times, REPLAYS, sizeof *times, compare);
    if (an_rank() == 0)
        printf("median_ms %.3f\n", 1e3 * times[REPLAYS / 2]);
}

static void measure(float *x)
{
    double small = least(x, 1, ROUNDS), large = least(x, LARGE, LARGE_ROUNDS);
    double bytes = sizeof(float) * (double)LARGE, add = addition(x, x + LARGE);
    if (an_rank() == 0)
        printf("latency_us %.2f bandwidth_GB %.2f addition_GB %.2f\n", 1e6 * small / 2,
               1e-9 * bytes / (large - small / 2), 1e-9 * bytes / add);
}

int main(int argc, char **argv)
{
    if (an_ranks_start() != AN_OK || an_ranks() != 2) {
        fprintf(stderr, "ranks_link: requires mpirun -n 2 and a build with MPI\n");
        return 2;
    }
    float *x = an_calloc(2, BUFFER);
    if (!x)
        an_ranks_abandon();
    if (argc == 1 + 2 * AN_TRAFFIC_KINDS)
        replay_all(argv + 1, x, x + BUFFER / (int)sizeof *x);
    else
        measure(x);
    an_free(x);
    an_ranks_end();
    return 0;
}
