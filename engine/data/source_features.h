/* source_features: the images of a table as rows of a file of features (features.h). */
#ifndef AN_DATA_SOURCE_FEATURES_H
#define AN_DATA_SOURCE_FEATURES_H

#include "data/features.h"
#include "data/source.h"

/* Opens the file and fills an empty listing (an_listing_begin), which it seals and hashes: row i of
 * the table is row feature_row[i] of the file. An item's content is that of its row: rows with the
 * same bytes are copies. The files, folders and extension in `rows` are not used. AN_EFORMAT: a row
 * outside the file, another number of tokens, a non-finite number (the message names the first such
 * row); also the failures of features.h and listing.h. */
an_code an_list_features(an_listing *list, const an_image_rows *rows, const int64_t *feature_row,
                         an_features *f, const char *path, int64_t tokens);

/* Allocates *mean and *std (f->width), which the caller frees: the moments of n items or, if
 * `items` is NULL or n is 0, the neutral 0 and 1. AN_ENOMEM. */
an_code an_features_measure(const an_listing *list, const int64_t *items, int64_t n,
                            const an_features *f, float **mean, float **std);

#endif
