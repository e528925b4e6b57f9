/* dataset_split: declarations shared by bind/dataset.c and bind/dataset_split.c. */
#ifndef AN_BIND_DATASET_SPLIT_H
#define AN_BIND_DATASET_SPLIT_H

#include <lua.h>

#include "data/dataset.h"

/* Pushes the images per class of a part: K numbers. */
void an_push_class_counts(lua_State *L, const an_dataset *ds, an_part part);

/* Pushes the table `split`: name, hashes, counts, groups of classes, folds. */
void an_push_split(lua_State *L, const an_dataset *ds);

#endif
