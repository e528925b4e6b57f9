/* dataset_split: see dataset_split.h. */
#include "data/dataset_split.h"

#include <stdio.h>

#include "base/memory/mem.h"

an_code an_dataset_split_fold(an_dataset *ds, const an_dataset_spec *spec, const char *how)
{
    an_listing *list = &ds->list;
    int most = 0;
    if (spec->fold < 0 || spec->fold >= spec->folds)
        return an_fail(AN_EINVAL, "fold %d; there are %d, counted from 0", spec->fold, spec->folds);
    if (ds->ready_made)
        return an_fail(AN_EINVAL,
                       "%s: its parts are ready-made, and folds would mix them; leave out "
                       "data.split or folds",
                       list->source);
    for (int64_t i = 0; spec->official_folds && i < list->n; i++) {
        int fold = list->items[i].fold;
        if (fold < 1)
            return an_fail(AN_EFORMAT, "%s: image %s has no official fold; folds = %d cuts them",
                           list->source, list->items[i].key, spec->folds);
        most = fold > most ? fold : most;
    }
    if (spec->official_folds && most != spec->folds)
        return an_fail(AN_EINVAL, "%s has %d official folds, not %d", list->source, most,
                       spec->folds);
    snprintf(ds->split_name, sizeof ds->split_name, "%s fold %d of %d",
             spec->official_folds ? "official" : how, spec->fold, spec->folds);
    an_code code =
        spec->official_folds ? AN_OK : an_split_into_folds(list, spec->folds, spec->seed);
    if (code == AN_OK)
        code = an_split_of_fold(list, spec->folds, spec->fold, spec->val, spec->seed);
    if (code == AN_OK)
        an_split_fold_hash(list, ds->fold_set);
    return code;
}

an_code an_dataset_group_classes(an_dataset *ds, const an_dataset_spec *spec)
{
    int K = ds->list.K;
    double *n = an_alloc((size_t)K * sizeof *n);
    ds->shot = an_calloc((size_t)K, sizeof *ds->shot);
    if (!n || !ds->shot)
        return an_free(n), AN_ENOMEM;
    for (int j = 0; j < K; j++) {
        n[j] = (double)ds->counts[AN_TRAIN][j];
        if (ds->folds > 0 && ds->profile == AN_NATURAL) {
            double trained = 1 - 1.0 / ds->folds - ds->val;
            int64_t all = ds->counts[AN_TRAIN][j] + ds->counts[AN_TEST][j];
            n[j] = trained * (double)(all + (ds->test_is_val ? 0 : ds->counts[AN_VAL][j]));
        }
    }
    an_code code = an_class_groups(n, ds->list.classes, K, &spec->groups, ds->shot);
    an_free(n);
    return code;
}
