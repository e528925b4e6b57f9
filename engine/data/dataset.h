/* dataset: images, labels and parts, ready for training.
 *
 * Opened from a source (source.h, lesions.h, container.h, features.h) in this order: list, seal,
 * hash, split, long tail, pixels, statistics. An open data set does not change; its batches are
 * functions of their arguments. Memory: the listing, 8 bytes per image and part, and the pixels
 * (pixel_cache.h).
 *
 * A batch is made on request, by all threads, and not prefetched during the previous step: 128
 * augmented images of 32×32 take about 2 ms, under 2 % of the step train_w1 of tests/bench, and no
 * core is idle during a step. */
#ifndef AN_DATA_DATASET_H
#define AN_DATA_DATASET_H

#include <stdbool.h>

#include "data/augment.h"
#include "data/class_groups.h"
#include "data/epoch_order.h"
#include "data/features.h"
#include "data/folds.h"
#include "data/listing.h"
#include "data/long_tail.h"
#include "data/pixel_cache.h"
#include "data/resize.h"
#include "data/source.h"
#include "data/split.h"

typedef enum {
    AN_FROM_ROWS,
    AN_FROM_FEATURES, /* source_features.h */
    AN_FROM_LESIONS,
    AN_FROM_CIFAR10, /* this one and those below: container.h */
    AN_FROM_CIFAR100,
    AN_FROM_IDX,
    AN_FROM_NPZ,
    AN_SOURCES
} an_source;
/* "rows", "features", "lesions", "cifar10", "cifar100", "idx", "npz", NULL */
extern const char *const an_source_names[AN_SOURCES + 1];

typedef struct an_dataset_spec {
    const char *name; /* for lists and the database                          */
    an_source source;
    an_image_rows rows;         /* rows and features sources                            */
    const int64_t *feature_row; /* features source, per row of `rows`: row in the file */
    bool unordered;             /* features source: the tokens are not in grid order    */
    bool normalise;             /* features source: by the moments of the training part */
    const char *split_name;     /* of the parts that the rows assign                    */
    const char *const *classes; /* K names, or NULL with K = 0: sorted by name          */
    int K;
    int64_t n;              /* lesions source                                       */
    const char *container;  /* a folder; for npz and features, the file             */
    an_long_tail long_tail; /* of the training part                                 */
    int H, W;               /* 1 … 1024; for features, the grid of tokens           */
    an_aspect aspect;
    an_damage_policy damage; /* for files                                           */
    double val, test;        /* fractions, see an_split_complete()                   */
    uint64_t seed;           /* of the split, and of the lesions                     */
    an_group_rule groups;
    an_fold fold;       /* of a cross-validation                                */
    bool divide_groups; /* parts may share groups: to measure what that leaks          */
    const char *cache;  /* folder, "" for none                                  */
} an_dataset_spec;

typedef struct an_dataset {
    char *name;
    an_listing list;
    an_pixel_cache images; /* (n, H, W, 3), in the order of list.items           */
    int H, W, channels;
    bool unordered;       /* as specified                                         */
    an_features features; /* instead of the pixels; closed in other sets           */
    float *feature_mean;  /* (channels) of the training part; NULL without features */
    float *feature_std;
    int64_t *members[AN_PARTS]; /* items of each part, ascending                        */
    int64_t n[AN_PARTS];
    int64_t *counts[AN_PARTS]; /* (K) images per class                                 */
    bool test_is_val;          /* no validation part: the test part serves as one      */
    char split_name[256];
    uint64_t seed;
    int64_t official[AN_PARTS];      /* images per part in the container; 0: no container */
    an_profile profile;              /* of the training part                              */
    int64_t before_tail;             /* training images before the long-tail cut          */
    an_group_rule groups;            /* without the names for `given`                        */
    an_shot *shot;                   /* (K) group of each class                              */
    an_fold fold;                    /* as specified                                         */
    char fold_set[AN_SHA256_HEX];    /* an_split_fold_hash                                   */
    double val, test;                /* as specified                                         */
    bool ready_made;                 /* the parts came with the data                         */
    int64_t group_leaks, copy_leaks; /* an_split_leaks                                       */
    int64_t conflicts;               /* an_listing_conflicts                                 */
    const an_item *conflict[2];
    int64_t missing;       /* rows skipped for lack of a file                      */
    float mean[3], std[3]; /* of the training part, values in [0, 1]               */
    char sha256[AN_SHA256_HEX], split_sha256[AN_SHA256_HEX];
    char earlier_sha256[AN_SHA256_HEX]; /* of the same files before pixel versions: listing.h  */
} an_dataset;

/* NULL after AN_EINVAL (a size outside 1 … 1024) and the failures of source.h, hash_cache.h,
 * split.h and pixel_cache.h. */
an_dataset *an_dataset_open(const an_dataset_spec *spec);
void an_dataset_close(an_dataset *ds);

/* position: 0 … n[part] − 1. */
int an_dataset_label(const an_dataset *ds, an_part part, int64_t position);
const an_item *an_dataset_item(const an_dataset *ds, an_part part, int64_t position);

/* (value − mean) / std of each channel, values in [0, 1]. */
typedef struct {
    float mean[3], std[3];
} an_normalisation;

/* positions (B) of a part → images (B, H, W, channels), normalised by `by` (NULL: by the moments of
 * the training part); labels (B); B ≥ 0. `how` NULL: no augmentation. Features use neither `how`
 * nor `by`. AN_EINVAL: a position outside 0 … n[part] − 1, transpose with H ≠ W. */
an_code an_dataset_batch(const an_dataset *ds, an_part part, const int64_t *positions, int64_t B,
                         const an_augment *how, const an_normalisation *by, uint64_t seed,
                         uint64_t epoch, float *images, int64_t *labels);

/* cluster (n[part]): equal for images that belong together (an_split_clusters), also across folds
 * and parts. AN_ENOMEM. */
an_code an_dataset_clusters(const an_dataset *ds, an_part part, int64_t *cluster);

/* An epoch order (epoch_order.h) over the labels of a part; out (n[part]). AN_ENOMEM. */
an_code an_dataset_order(const an_dataset *ds, an_part part, an_class_sampling sampling,
                         uint64_t seed, int64_t epoch, int64_t first, int64_t epochs, int64_t *out);

#endif
