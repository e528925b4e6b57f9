/* dataset: images, labels and parts, ready for training.
 *
 * Opened from a source (source.h, lesions.h), in this order: list, seal, hash, split, pack,
 * statistics. An open data set does not change; its batches are functions of their
 * arguments. Memory: the listing, 8 bytes per image and part, and the pixels (pixel_cache.h).
 *
 * A batch is made when it is asked for, by all threads, not by one ahead of the step: 128
 * augmented images of 32x32 take 1.8 ms of a step of 450 ms (two threads; 3.1 of 795 with one),
 * and while a step computes no core is idle that could hide even that. */
#ifndef AN_DATA_DATASET_H
#define AN_DATA_DATASET_H

#include <stdbool.h>

#include "data/augment.h"
#include "data/listing.h"
#include "data/epoch_order.h"
#include "data/pixel_cache.h"
#include "data/resize.h"
#include "data/source.h"
#include "data/split.h"

typedef enum { AN_FROM_FOLDER, AN_FROM_TABLE, AN_FROM_LESIONS } an_source;

typedef struct an_dataset_spec {
    const char *name; /* what it is called in lists and in the database      */
    an_source source;
    const char *root;           /* folder source                                        */
    an_table table;             /* table source                                         */
    const char *split;          /* folder of ready-made lists, NULL: cut one            */
    const char *const *classes; /* K names, or NULL with K = 0: sorted by name          */
    int K;
    int64_t n; /* lesions source                                       */
    int H, W;  /* 1 … 1024                                             */
    an_aspect aspect;
    double val, test;  /* fractions, see an_split_complete                     */
    uint64_t seed;     /* of the split, and of the lesions                     */
    int64_t many, few; /* shot groups, see an_shot_of                          */
    const char *cache; /* folder, "" for none                                  */
} an_dataset_spec;

typedef struct an_dataset {
    char *name;
    an_listing list;
    an_pixel_cache pack; /* (n, H, W, 3), in the order of list.items             */
    int H, W;
    int64_t *members[AN_PARTS]; /* items of each part, ascending                        */
    int64_t n[AN_PARTS];
    int64_t *counts[AN_PARTS]; /* (K) images per class                                 */
    bool test_is_val;          /* there is no validation part: it is the test part     */
    char split_name[256];
    uint64_t seed;
    int64_t many, few;
    double val, test;                /* as asked for                                         */
    bool ready_made;                 /* the parts came with the data                         */
    int64_t group_leaks, copy_leaks; /* val and test images akin to training, an_split_leaks */
    float mean[3], std[3];           /* of the training part, values in [0, 1]               */
    char sha256[AN_SHA256_HEX], split_sha256[AN_SHA256_HEX];
} an_dataset;

/* NULL after a failure that names the thing: see the functions of source.h, split.h, pixel_cache.h.
 */
an_dataset *an_dataset_open(const an_dataset_spec *spec);
void an_dataset_close(an_dataset *ds);

int an_dataset_label(const an_dataset *ds, an_part part, int64_t position);
const an_item *an_dataset_item(const an_dataset *ds, an_part part, int64_t position);

/* positions (B) of a part, each 0 … n[part]−1 → images (B, H, W, 3) normalised, labels (B).
 * `how` NULL: no augmentation. AN_EINVAL: a position outside, transpose with H ≠ W. */
an_code an_dataset_batch(const an_dataset *ds, an_part part, const int64_t *positions, int64_t B,
                         const an_augment *how, uint64_t seed, uint64_t epoch, float *images,
                         int64_t *labels);

/* As an_epoch_order, over the labels of a part; out (n[part]). */
an_code an_dataset_order(const an_dataset *ds, an_part part, an_sampling sampling, uint64_t seed,
                         int64_t epoch, int64_t epochs, int64_t *out);

#endif
