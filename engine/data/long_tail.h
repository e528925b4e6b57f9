/* long_tail: cuts the training part of a balanced set to a profile, so that its classes become rare
 * in a controlled way. Validation and test images are not changed.
 *
 * With K classes in order, n the images of the largest one and r the ratio:
 *     exp    n_i = ⌊n · r^(−i/(K−1))⌋, i = 0 … K−1       Cui et al. 2019 (1901.05555), Cao et al.
 *                                                        2019 (1906.07413): CIFAR-10-LT
 *     step   n for the first K − m classes, ⌊n/r⌋ for the last m = ⌊share·K + ½⌋
 *                                                        Buda et al. 2018 (1710.05381)
 * A class with fewer images keeps all of them. Which images stay is a function of (seed, class):
 * the first n_i of a random order, so a larger ratio keeps a subset of what a smaller one keeps. */
#ifndef AN_DATA_LONG_TAIL_H
#define AN_DATA_LONG_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "data/listing.h"

typedef enum { AN_NATURAL, AN_EXP, AN_STEP, AN_PROFILES } an_profile;
extern const char *const an_profile_names[AN_PROFILES + 1]; /* "natural", "exp", "step", NULL */

typedef struct an_long_tail {
    an_profile profile; /* AN_NATURAL: nothing is cut                                   */
    double ratio;       /* above 1: largest class to smallest                           */
    double share;       /* step: share of classes that become rare, in (0, 1)           */
    bool by_size;       /* order: largest class first; false: as the classes are listed */
} an_long_tail;

/* counts (K) → kept (K), both of the training part. AN_ENOMEM. */
an_code an_long_tail_counts(const an_long_tail *tail, const int64_t *counts, int K, int64_t *kept);

/* Marks training images AN_UNUSED. The listing is sealed and has its parts. AN_EINVAL: a ratio or
 * share out of range, a share that makes no class or all classes rare. AN_EFORMAT: a class would
 * keep no image. AN_ENOMEM. */
an_code an_long_tail_cut(an_listing *list, const an_long_tail *tail, uint64_t seed);

#endif
