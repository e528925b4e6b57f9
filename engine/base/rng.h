/* rng: Philox4x32-10 (Salmon et al., SC 2011), a counter-based generator.
 *
 * A random number is a pure function of (seed, stream, index): it does not depend on the thread
 * that draws it, on the order of drawing, or on how many were drawn before. A run that is killed
 * and resumed draws the same numbers because it uses the same indices. Each purpose has a stream of
 * its own: an_stream("augment", epoch, image). */
#ifndef AN_BASE_RNG_H
#define AN_BASE_RNG_H

#include <stdint.h>

/* The number of a stream, from its purpose and up to two coordinates (an epoch, an image …). */
uint64_t an_stream(const char *purpose, uint64_t a, uint64_t b);

/* Four 32-bit words at (seed, stream, index). */
void an_philox(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4]);

double an_uniform(uint64_t seed, uint64_t stream, uint64_t index); /* [0, 1), 53 bits     */
double an_normal(uint64_t seed, uint64_t stream, uint64_t index);  /* N(0, 1), Box–Muller */
int64_t an_below(uint64_t seed, uint64_t stream, uint64_t index, int64_t n); /* 0 … n−1; n ≥ 1 */

/* out[i] is the number at index first+i: any cut of a range gives the same values. */
void an_fill_uniform(float *out, int64_t n, uint64_t seed, uint64_t stream, uint64_t first);
void an_fill_normal(float *out, int64_t n, uint64_t seed, uint64_t stream, uint64_t first);

/* A permutation of 0 … n−1 (Fisher–Yates). */
void an_permutation(int64_t *out, int64_t n, uint64_t seed, uint64_t stream);

#endif
