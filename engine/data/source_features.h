/* source_features: the images that a table names, as rows of a file of features (features.h). */
#ifndef AN_DATA_SOURCE_FEATURES_H
#define AN_DATA_SOURCE_FEATURES_H

#include "data/features.h"
#include "data/source.h"

/* Opens the file and fills an empty listing (an_listing_begin), which it seals and hashes: row i of
 * the table is row feature_row[i] of the file. An item's content is that of its row: rows of the
 * same bytes are copies. Files, folders and extensions of `rows` are not used. AN_EFORMAT: a row
 * outside the file, another number of tokens, a number that is not finite (the message names the
 * first such row); and the failures of features.h and listing.h. */
an_code an_list_features(an_listing *list, const an_image_rows *rows, const int64_t *feature_row,
                         an_features *f, const char *path, int64_t tokens);

/* Allocates *mean and *std (f->width), which the caller frees: the moments of n items, or where
 * `items` is NULL or n is 0 those that change nothing, 0 and 1. AN_ENOMEM. */
an_code an_features_measure(const an_listing *list, const int64_t *items, int64_t n,
                            const an_features *f, float **mean, float **std);

#endif
