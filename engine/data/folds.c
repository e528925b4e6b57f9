/* folds: see folds.h. */
#include "data/folds.h"

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
    if (most != folds)
        return an_fail(AN_EINVAL, "%s has %d official folds, not %d", list->source, most, folds);
    return AN_OK;
}

an_code an_fold_parts(an_listing *list, const an_fold *which, double val, uint64_t seed)
{
    if (which->fold < 0 || which->fold >= which->folds)
        return an_fail(AN_EINVAL, "fold %d: expected 0 to %d", which->fold, which->folds - 1);
    an_code code = which->official ? check_official(list, which->folds)
                                   : an_split_into_folds(list, which->folds, seed);
    return code == AN_OK ? an_split_of_fold(list, which->folds, which->fold, val, seed) : code;
}
