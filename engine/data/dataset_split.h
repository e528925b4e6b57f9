/* dataset_split: the parts of one fold and the groups of the classes, while a data set is opened.
 */
#ifndef AN_DATA_DATASET_SPLIT_H
#define AN_DATA_DATASET_SPLIT_H

#include "data/dataset.h"

/* The parts of the fold spec->fold; `how` names the cut. Every image has the same fold whichever is
 * tested. AN_EINVAL: no such fold, ready-made parts, another number of official folds. AN_EFORMAT:
 * an image without an official fold; failures of an_split_of_fold(). */
an_code an_dataset_split_fold(an_dataset *ds, const an_dataset_spec *spec, const char *how);

/* The group of each class. All folds of a cross-validation have the same groups: they follow from
 * the mean number of training images over the folds, or of a set cut to a long tail from its
 * training part, which is the same but for rounding. Failures of an_class_groups(). */
an_code an_dataset_group_classes(an_dataset *ds, const an_dataset_spec *spec);

#endif
