/* folds: see folds.h. */
#include "data/folds.h"

#include "base/memory/mem.h"

static an_code check_official(const an_listing *list, int folds)
{
    int most = 0;
    for (int64_t i = 0; i < list->n; i++) {
        int fold = list->items[i].fold;
        if (fold < 1)
            return an_fail(AN_EFORMAT, "%s: image %s has no official fold; folds = %d cuts them",
                           list->source, list->items[i].key, folds);
        most = fold > most ? fold : most;
    }
    if (most != folds || folds > AN_MOST_FOLDS)
        return an_fail(AN_EINVAL, "%s has %d official folds, not %d", list->source, most, folds);
    return AN_OK;
}

/* Every fold has test images and leaves each class some training images: without this check, a bad
 * fold would be found only after the folds before it were trained. */
static an_code check_folds(const an_listing *list, int folds)
{
    size_t K = (size_t)list->K;
    int *only = an_calloc(K, sizeof *only); /* the only fold of a class; −1: several */
    bool tests[AN_MOST_FOLDS + 1] = {false};
    an_code code = only ? AN_OK : AN_ENOMEM;
    for (int64_t i = 0; i < list->n && only; i++) {
        const an_item *item = &list->items[i];
        int *seen = &only[item->label];
        *seen = *seen == 0 || *seen == item->fold ? item->fold : -1;
        tests[item->fold] = true;
    }
    for (int fold = 1; fold <= folds && code == AN_OK; fold++)
        if (!tests[fold])
            code = an_fail(AN_EFORMAT, "%s: fold %d of %d has no image; use fewer folds",
                           list->source, fold - 1, folds);
    for (int k = 0; k < list->K && code == AN_OK; k++)
        if (only[k] > 0)
            code = an_fail(AN_EFORMAT,
                           "%s: all images of class '%s' are in fold %d, which has none left to "
                           "train on; each class needs images, of two groups if there are any, "
                           "in two folds",
                           list->source, list->classes[k], only[k] - 1);
    an_free(only);
    return code;
}

an_code an_fold_parts(an_listing *list, const an_fold *which, double val, uint64_t seed)
{
    if (which->fold < 0 || which->fold >= which->folds)
        return an_fail(AN_EINVAL, "fold %d: expected 0 to %d", which->fold, which->folds - 1);
    an_code code = which->official ? check_official(list, which->folds)
                                   : an_split_into_folds(list, which->folds, seed);
    if (code == AN_OK)
        code = check_folds(list, which->folds);
    return code == AN_OK ? an_split_of_fold(list, which->folds, which->fold, val, seed) : code;
}
