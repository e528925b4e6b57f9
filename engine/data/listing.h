/* listing: the images of a data set before any of them is decoded: names, files, classes, groups,
 * parts.
 *
 * Order of calls: an_listing_begin(); a source (source.h) adds the items; an_listing_seal() sorts
 * and numbers them; after that an_hash_files() (hash_cache.h), the split (split.h) and the pixels
 * (pixel_cache.h). After sealing no item can be added. */
#ifndef AN_DATA_LISTING_H
#define AN_DATA_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory/string_arena.h"
#include "io/path.h"
#include "io/sha256.h"

typedef enum { AN_TRAIN, AN_VAL, AN_TEST, AN_UNUSED, AN_UNASSIGNED } an_part;
#define AN_PARTS 3
/* More classes mean that a column does not hold labels but, for example, names of images. */
#define AN_MOST_CLASSES 30000
extern const char *const an_part_names[AN_PARTS + 1]; /* "train", "val", "test", NULL */

typedef struct an_item {
    const char *key;  /* unique in the data set                                   */
    const char *path; /* of the file; NULL for a generated image                  */
    const char *class_name;
    const char *group; /* a lesion, a patient: all in one part; NULL: alone        */
    int64_t line;      /* in the table that names it; 0 for a folder               */
    int64_t row;       /* in the file of features, from 0                          */
    int label;         /* 0 … K−1, after sealing                                   */
    int fold;          /* 1 …, of the folds that came with the data; 0: none      */
    an_part part;
    char hash[AN_SHA256_HEX]; /* of the content: the file's bytes, or the pixels          */
    int pixel_version;        /* see an_pixel_version()                                    */
    an_stamp stamp;           /* of the file, taken before it was hashed; 0: unknown       */
} an_item;

typedef struct an_listing {
    const char *source; /* the folder or table it comes from, for messages          */
    an_item *items;     /* after sealing: sorted by key                             */
    int64_t n, room;
    const char **classes; /* K names                                                  */
    int K;
    bool sealed;
    bool divides_groups;  /* a cut ignores groups; group leaks are still counted */
    an_string_arena text; /* owns every string above                                  */
} an_listing;

an_code an_listing_begin(an_listing *list, const char *source); /* makes it empty */
void an_listing_free(an_listing *list);

/* Copies the texts; path and group may be NULL, and an empty group counts as NULL. Not sealed. */
an_code an_listing_add(an_listing *list, const an_item *item);

/* Sets the order of the K ≥ 1 classes, at most once and before sealing; by default they are sorted
 * by name. AN_EINVAL: a class is listed twice. */
an_code an_listing_classes(an_listing *list, const char *const *names, int K);

/* Sorts by key, numbers the labels. AN_EFORMAT: no item, fewer than two or more
 * than AN_MOST_CLASSES classes, a class name outside the fixed list, one key twice. */
an_code an_listing_seal(an_listing *list);

an_item *an_listing_find(const an_listing *list, const char *key); /* sealed; NULL if absent */

/* *n: how many items have the same bytes as an item of another class, so that a label is wrong;
 * pair: the first two in the order of content hashes, or NULLs. Sealed, hashed. AN_ENOMEM. */
an_code an_listing_conflicts(const an_listing *list, int64_t *n, const an_item *pair[2]);

/* True if every item has its content hash: for assertions. */
bool an_listing_hashed(const an_listing *list);
/* The identity of the content: SHA-256 over the lines "key TAB hash TAB class", in which "+VERSION"
 * follows the hash of an image whose pixel version is not 0. `newest` false: every version counts
 * as 0, the identity that these files had before versions existed. Sealed, hashed. */
void an_listing_hash(const an_listing *list, bool newest, char hex[AN_SHA256_HEX]);

#endif
