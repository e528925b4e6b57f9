/* source: where the names of a data set's images come from. The first two functions fill an empty
 * listing (an_listing_begin) and leave it unsealed; the third requires it sealed. */
#ifndef AN_DATA_SOURCE_H
#define AN_DATA_SOURCE_H

#include "data/listing.h"

/* source_folder.c: root/CLASS/FILE, or root/{train,val,test}/CLASS/FILE, where the items get their
 * part. Images end with .jpg, .jpeg, .png or .bmp in any case; the key is the path below
 * root. AN_ENOTFOUND: no root. AN_EFORMAT: no class folder, a class folder without image. */
an_code an_list_classes_of_folder(an_listing *list, const char *root);

/* source_table.c: one row per image in a CSV file. */
typedef struct an_table {
    const char *path;           /* of the CSV file                                        */
    const char *image, *label;  /* columns                                                */
    const char *group;          /* column; NULL: none                                     */
    const char *extension;      /* added to names that lack it: ".jpg", or ""             */
    const char *const *folders; /* searched for the images, in this order                 */
    int folder_count;
} an_table;

/* AN_EFORMAT and AN_ENOTFOUND name the table and the line: an absent image, an empty name. */
an_code an_list_table(an_listing *list, const an_table *table);

/* Ready-made parts: the files *train.csv, *test.csv and, optionally, *val.csv in `folder`, with the
 * column table->image and optionally table->label, which must then agree with the listing. Images
 * in no file become AN_UNUSED. The listing must be sealed. `name` receives the common prefix of the
 * files ("diffmic"), or the name of the folder. AN_EFORMAT names file and line: an unknown image,
 * another label, an image in two parts. */
an_code an_list_parts(an_listing *list, const char *folder, const an_table *table, char name[256]);

#endif
