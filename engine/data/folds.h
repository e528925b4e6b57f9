/* folds: the parts of one fold of a cross-validation. */
#ifndef AN_DATA_FOLDS_H
#define AN_DATA_FOLDS_H

#include <stdbool.h>

#include "data/split.h"

typedef struct an_fold {
    int folds, fold; /* how many (0: no cross-validation), and which one to test, from 0 */
    bool official;   /* the folds came with the data: an_item.fold                */
} an_fold;

/* Cuts the folds using the seed, unless they are official, and assigns the parts of one; each image
 * has the same fold whichever is tested. AN_EINVAL: no such fold, another number of official folds.
 * AN_EFORMAT: an image without an official fold, a fold without an image, a class whose images are
 * all in one fold. Failures of an_split_of_fold(). */
an_code an_fold_parts(an_listing *list, const an_fold *which, double val, uint64_t seed);

#endif
