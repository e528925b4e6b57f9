/* par: parallel loops whose result does not depend on the number of threads.
 *
 * A range is cut into chunks of a fixed size, whatever the number of threads; one thread processes
 * a chunk. A loop that reduces keeps one partial result per chunk and adds them in chunk order
 * afterwards. A plain `#pragma omp parallel for` is allowed where every iteration writes its own
 * output and reads no other iteration's. An `if` clause is not allowed (a lint finds it): when it
 * is false, OpenMP forms a team of one, which allocates memory, as does the next full team. For a
 * loop that may be short, an_grain() gives a single chunk, which an_par_for() runs as a plain
 * call. */
#ifndef AN_BASE_PAR_H
#define AN_BASE_PAR_H

#include <stdint.h>

#define AN_THREADS_MOST 4096 /* that a caller can request */

int an_threads(void);       /* threads in use, ≥ 1                                  */
void an_set_threads(int n); /* n < 1: as many as the machine has cores              */

/* From now on `factor` ≥ 1 times as many threads are in use as were set, at most `most`, but never
 * fewer than were set. A factor of 1 ends it. */
void an_multiply_threads(int factor, int most);
int an_threads_set(void); /* threads in use without that factor, ≥ 1 */

/* How many of n threads the system lets this process start, ≥ 1: fewer than n under a limit on
 * processes (ulimit -u, a container's). 1 ≤ n ≤ AN_THREADS_MOST. */
int an_startable_threads(int n);

/* Processes items lo … hi−1, which are chunk number `chunk`. */
typedef void (*an_chunk_fn)(void *context, int64_t lo, int64_t hi, int64_t chunk);

/* The number of chunks of `grain` ≥ 1 items; 0 for n ≤ 0. */
int64_t an_chunks(int64_t n, int64_t grain);

/* The grain for n items of `each` elements, where threads pay off from `from` elements on: one
 * chunk up to that size, chunks of a quarter of `from` above it. */
int64_t an_grain(int64_t n, int64_t each, int64_t from);

/* Calls `work` for every chunk of n items, on all threads, in any order. grain ≥ 1. */
void an_par_for(int64_t n, int64_t grain, an_chunk_fn work, void *context);

#endif
