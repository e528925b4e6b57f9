/* source: the images of a data set, as rows prepared by the caller. lua/aniso/method/data/ reads
 * the tables and folders of each kind of data set. */
#ifndef AN_DATA_SOURCE_H
#define AN_DATA_SOURCE_H

#include <stdbool.h>

#include "data/listing.h"

/* n ≥ 1 images. Lists have n entries; those marked [opt] may be NULL. */
typedef struct an_image_rows {
    const char *source; /* the table or folder that named them, for messages                */
    const char *root;   /* of the data set: absolute names must be below it or a folder    */
    int64_t n;
    const char *const *key;        /* unique in the data set                               */
    const char *const *class_name; /* of the image                                         */
    const char *const *file;       /* [opt] the file's name, if not the key                */
    const char *const *group;      /* [opt] "": the image has no group                     */
    const int64_t *line;           /* [opt] of the table; 0: none                          */
    const int64_t *part;           /* [opt] an_part                                        */
    const int64_t *fold;           /* [opt] 1 …; 0: none                                   */
    const char *extension;         /* added to names that lack it: ".jpg", or ""           */
    const char *const *folders;    /* searched in this order                               */
    int folder_count;              /* 0: the names are paths                               */
    bool skip_missing;             /* skip rows whose file is absent                       */
} an_image_rows;

/* Fills an empty listing (an_listing_begin) and leaves it unsealed; *missing: rows left out. With
 * folders, a name may itself contain folders, separated by / or \, or be absolute.
 *
 * A table may come from a stranger, and the files it names are read, cached and shown. So a path,
 * with ".." resolved as text, must be below the root or one of the folders, all of which the recipe
 * names: AN_EFORMAT otherwise. AN_ENOTFOUND: absent images; the message counts all and names the
 * first. One stat per row and folder tried, two for a name with a backslash; none without
 * folders. */
an_code an_list_rows(an_listing *list, const an_image_rows *rows, int64_t *missing);

#endif
