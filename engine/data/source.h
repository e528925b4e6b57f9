/* source: where the images of a data set are named. Each function fills an empty listing
 * (an_listing_begin) and leaves it unsealed. */
#ifndef AN_DATA_SOURCE_H
#define AN_DATA_SOURCE_H

#include "data/listing.h"

/* source_folder.c: root/CLASS/FILE, or root/{train,val,test}/CLASS/FILE, where the items get their
 * part. Images are known by .jpg, .jpeg, .png, .bmp in any case; the key is the path below
 * root. AN_ENOTFOUND: no root. AN_EFORMAT: no class folder, a class folder without image. */
an_code an_list_classes_of_folder(an_listing *list, const char *root);

/* source_table.c: one row per image in a CSV file. */
typedef struct an_table {
    const char *path;           /* of the CSV file                                        */
    const char *image, *label;  /* columns                                                */
    const char *group;          /* column; NULL: none                                     */
    const char *extension;      /* added to names that lack it: ".jpg", or ""             */
    const char *const *folders; /* where images are looked for, in this order             */
    int folder_count;
} an_table;

/* AN_EFORMAT and AN_ENOTFOUND name the table and the line: an absent image, an empty name. */
an_code an_list_table(an_listing *list, const an_table *table);

/* Ready-made parts: the files *train.csv, *test.csv and, if there is one, *val.csv in
 * `folder`, with the column table->image and maybe table->label, which must then agree with
 * the listing. Images in no file become AN_UNUSED. The listing must be sealed.
 * `name` receives the files' common prefix ("diffmic"), or the folder's own name.
 * AN_EFORMAT: an unknown image, another label, an image in two parts: file and line. */
an_code an_list_parts(an_listing *list, const char *folder, const an_table *table, char name[256]);

#endif
