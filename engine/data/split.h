/* split: which images are for training, validation and test.
 *
 * A cut is stratified by class and keeps groups whole: within each class the groups, largest first
 * and in a seeded random order among equals, go one by one to the part that lacks most of its
 * share; every part gets a group of the class if there are enough groups. Images with one group
 * name, and images with identical content, form one group; a group counts for the class of its
 * first image by key. Where the listing divides groups, only identical content keeps images
 * together. */
#ifndef AN_DATA_SPLIT_H
#define AN_DATA_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "data/listing.h"

/* Completes the parts of a sealed listing whose items are hashed (an item without a hash has no
 * copies). If nothing is assigned, cuts `test` and `val` from all images. If there are ready-made
 * train and test parts without a val part, cuts `val` from the training images; test is unchanged.
 * val = 0: no validation part, and the caller validates on test. AN_EINVAL unless the fractions
 * satisfy val ≥ 0, test > 0 where it is cut, and val + test < 1. Failures of an_split_check().
 * AN_ENOMEM. */
an_code an_split_complete(an_listing *list, double val, double test, uint64_t seed);

/* AN_EFORMAT if the parts of a sealed listing cannot be used for training and testing: the test
 * part is empty, or a class has no training image. The message names the cause and the remedy.
 * `cut`: the parts were cut from all images, not ready-made. AN_ENOMEM. (split_check.c) */
an_code an_split_check(const an_listing *list, bool cut);

/* ── cross-validation ─────────────────────────────────────────────────────────── */
#define AN_MOST_FOLDS 100

/* Assigns every image of a sealed, hashed listing its fold, 1 … folds: the same kind of cut, with
 * equal shares. AN_EINVAL: folds outside 2 … AN_MOST_FOLDS. AN_ENOMEM. */
an_code an_split_into_folds(an_listing *list, int folds, uint64_t seed);

/* Assigns the parts for one fold, 0 … folds − 1, once every image has its fold: images of fold + 1
 * are the test part; a share `val` of all images is cut from the others as above; the rest is for
 * training. So each image is in the test part of exactly one fold. Failures of
 * an_split_complete(). */
an_code an_split_of_fold(an_listing *list, int folds, int fold, double val, uint64_t seed);

/* The identity of the folds: SHA-256 over the lines "key TAB class TAB fold". Sealed. */
void an_split_fold_hash(const an_listing *list, char hex[AN_SHA256_HEX]);

/* cluster[i], i < n: the lowest item of the cluster of item i; items of one group or with equal
 * content are in one cluster. AN_ENOMEM. */
an_code an_split_clusters(const an_listing *list, int64_t *cluster);
/* The same for the units of a cut: without the groups if the listing divides them. */
an_code an_split_units(const an_listing *list, int64_t *unit);

/* ── identity, leaks ──────────────────────────────────────────────────────────── */
/* The identity of the split: SHA-256 over the lines "key TAB class TAB part" of its images. Sealed.
 */
void an_split_hash(const an_listing *list, char hex[AN_SHA256_HEX]);

/* How many images of val and test share their group, or their content, with training. Sealed. */
an_code an_split_leaks(const an_listing *list, int64_t *groups, int64_t *copies);

#endif
