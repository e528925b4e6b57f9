/* par: parallel loops whose result does not depend on the number of threads.
 *
 * A range is cut into chunks of a fixed size, whatever the number of threads; a chunk
 * is worked on by one thread. A loop that reduces keeps one partial result per chunk
 * and adds them in chunk order afterwards. Plain `#pragma omp parallel for` is fine
 * where every iteration writes its own output and reads nobody else's. An `if` clause is
 * not (lint looks for it): where it is false OpenMP forms a team of one, which asks for
 * memory, and so does the next real team. an_par_for() does a single chunk in a plain call:
 * of a loop that may be short, an_grain() makes one. */
#ifndef AN_BASE_PAR_H
#define AN_BASE_PAR_H

#include <stdint.h>

int an_threads(void);       /* threads in use, ≥ 1                                  */
void an_set_threads(int n); /* n < 1: as many as the machine has cores              */

/* Works on items lo … hi−1, which are chunk number `chunk`. */
typedef void (*an_chunk_fn)(void *context, int64_t lo, int64_t hi, int64_t chunk);

int64_t an_chunks(int64_t n, int64_t grain); /* how many chunks of `grain` items        */
/* The grain for n items of `each` numbers if threads pay from more than `from` numbers on:
 * everything up to there, quarters of `from` above. */
int64_t an_grain(int64_t n, int64_t each, int64_t from);
void an_par_for(int64_t n, int64_t grain, an_chunk_fn work, void *context);

#endif
