/* tilted_class: which class an image is given after a tilt of its probabilities q (METHOD §2): the
 * highest of the lines ln q_k − τ ln π_k. Ties go to the lower class, an undefined line is never
 * highest. */
#ifndef AN_BIND_TILTED_CLASS_H
#define AN_BIND_TILTED_CLASS_H

#include <stdbool.h>
#include <stdint.h>

/* Tilts of images of K classes with the shares π. */
typedef struct {
    int64_t K, tilts;
    const double *taus;   /* (tilts), ascending */
    const double *shares; /* (K): ln π_k */
    double *factors;      /* (tilts, K): exp(−τ ln π_k), of an_tilts_prepare() */
    double *work;         /* (K) */
    int64_t *rivals;      /* (K) */
    bool has_factors;
} an_tilts;

/* Computes the factors. */
void an_tilts_prepare(an_tilts *of);

/* The class, from 0, of an image at tilt t; q: K probabilities. */
int64_t an_tilts_class(const an_tilts *of, const double *q, int64_t t);

/* Adds 1 to column `truth` of the differences correct (tilts + 1, K) where the tilts begin at which
 * the image is given this class, and −1 behind their end. */
void an_tilts_count(const an_tilts *of, const double *q, int64_t truth, int64_t *correct);

#endif
