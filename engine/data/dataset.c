/* dataset: see dataset.h. */
#include "data/dataset.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "data/container.h"
#include "data/cache_folder.h"
#include "data/hash_cache.h"
#include "data/pixel_moments.h"
#include "data/source_features.h"
#include "data/synthetic/lesions.h"

const char *const an_source_names[AN_SOURCES + 1] = {
    [AN_FROM_ROWS] = "rows",       [AN_FROM_FEATURES] = "features", [AN_FROM_LESIONS] = "lesions",
    [AN_FROM_CIFAR10] = "cifar10", [AN_FROM_CIFAR100] = "cifar100", [AN_FROM_IDX] = "idx",
    [AN_FROM_NPZ] = "npz"};

/* ── opening, step by step ────────────────────────────────────────────────────── */

/* The folder of the caches, "" for none. */
static const char *cache_of(const an_dataset_spec *spec)
{
    return an_cache_limit() > 0 ? spec->cache : "";
}

static an_code begin_listing(an_dataset *ds, const an_dataset_spec *spec)
{
    an_code code = an_listing_begin(&ds->list, spec->rows.source);
    return code == AN_OK && spec->K > 0 ? an_listing_classes(&ds->list, spec->classes, spec->K)
                                        : code;
}

static an_code list_files(an_dataset *ds, const an_dataset_spec *spec)
{
    an_code code = begin_listing(ds, spec);
    if (code == AN_OK)
        code = an_list_rows(&ds->list, &spec->rows, &ds->missing);
    if (code == AN_OK)
        code = an_listing_seal(&ds->list);
    if (code == AN_OK)
        code = an_hash_files(&ds->list, cache_of(spec), spec->damage);
    return code;
}

static bool any_group(const an_listing *list)
{
    for (int64_t i = 0; i < list->n; i++)
        if (list->items[i].group)
            return true;
    return false;
}

static void name_cut(an_dataset *ds, const char *how)
{
    snprintf(ds->split_name, sizeof ds->split_name, "%s %.3g/%.3g/%.3g", how,
             100 * (1 - ds->val - ds->test), 100 * ds->val, 100 * ds->test);
}

static an_code split_fold(an_dataset *ds, const an_dataset_spec *spec, const char *how)
{
    if (ds->ready_made)
        return an_fail(AN_EINVAL,
                       "%s: its parts are ready-made, and folds would mix them; leave out "
                       "data.split or folds",
                       ds->list.source);
    snprintf(ds->split_name, sizeof ds->split_name, "%s fold %d of %d",
             spec->fold.official ? "official" : how, spec->fold.fold, spec->fold.folds);
    an_code code = an_fold_parts(&ds->list, &spec->fold, spec->val, spec->seed);
    if (code == AN_OK)
        an_split_fold_hash(&ds->list, ds->fold_set);
    return code;
}

static an_code split_files(an_dataset *ds, const an_dataset_spec *spec)
{
    ds->list.divides_groups = spec->divide_groups;
    const bool whole = any_group(&ds->list) && !spec->divide_groups;
    const char *grouped = whole ? "grouped" : "stratified";
    ds->ready_made = ds->list.items[0].part != AN_UNASSIGNED;
    if (spec->fold.folds > 0)
        return split_fold(ds, spec, grouped);
    if (ds->ready_made)
        snprintf(ds->split_name, sizeof ds->split_name, "%s", spec->split_name);
    else
        name_cut(ds, grouped);
    return an_split_complete(&ds->list, spec->val, spec->test, spec->seed);
}

static an_code open_files(an_dataset *ds, const an_dataset_spec *spec)
{
    an_code code = list_files(ds, spec);
    if (code == AN_OK)
        code = split_files(ds, spec);
    if (code == AN_OK)
        code = an_pixel_cache_open(&ds->images, &ds->list, ds->H, ds->W, spec->aspect, spec->damage,
                                   cache_of(spec));
    return code;
}

static an_code open_features(an_dataset *ds, const an_dataset_spec *spec)
{
    an_code code = begin_listing(ds, spec);
    if (code == AN_OK)
        code = an_list_features(&ds->list, &spec->rows, spec->feature_row, &ds->features,
                                spec->container, (int64_t)ds->H * ds->W);
    ds->channels = (int)ds->features.width;
    return code == AN_OK ? split_files(ds, spec) : code;
}

static an_code open_lesions(an_dataset *ds, const an_dataset_spec *spec)
{
    uint8_t *pixels = NULL;
    an_code code = an_listing_begin(&ds->list, "lesions (synthetic)");
    if (code == AN_OK)
        code = an_lesions(&ds->list, &pixels, spec->n, spec->val, spec->test, spec->seed, ds->H,
                          ds->W);
    if (code != AN_OK)
        return code;
    an_pixel_cache_adopt(&ds->images, pixels);
    name_cut(ds, "built-in");
    return spec->fold.folds > 0 ? split_fold(ds, spec, "stratified") : AN_OK;
}

static an_code read_container(an_image_stack *stack, const an_dataset_spec *spec)
{
    switch (spec->source) {
    case AN_FROM_CIFAR10:
        return an_read_cifar(stack, spec->container, AN_CIFAR10);
    case AN_FROM_CIFAR100:
        return an_read_cifar(stack, spec->container, AN_CIFAR100);
    case AN_FROM_IDX:
        return an_read_idx(stack, spec->container, spec->classes, spec->K);
    default:
        AN_ASSERT(spec->source == AN_FROM_NPZ);
        return an_read_npz(stack, spec->container, spec->classes, spec->K);
    }
}

static an_code open_container(an_dataset *ds, const an_dataset_spec *spec)
{
    an_image_stack stack = {.list = &ds->list, .H = ds->H, .W = ds->W, .aspect = spec->aspect};
    an_code code = an_listing_begin(&ds->list, spec->container);
    if (code == AN_OK)
        code = read_container(&stack, spec);
    if (stack.pixels) /* NULL: nothing was read */
        an_pixel_cache_adopt(&ds->images, stack.pixels);
    if (code == AN_OK)
        code = an_listing_seal(&ds->list);
    if (code != AN_OK)
        return code;
    for (int64_t i = 0; i < ds->list.n; i++)
        ds->official[ds->list.items[i].part]++;
    ds->ready_made = true;
    snprintf(ds->split_name, sizeof ds->split_name, "official");
    if (spec->fold.folds > 0)
        return split_fold(ds, spec, "stratified");
    return an_split_complete(&ds->list, spec->val, spec->test, spec->seed);
}

/* Cuts the training part, and names the split accordingly. */
static an_code cut_tail(an_dataset *ds, const an_dataset_spec *spec)
{
    const an_long_tail *tail = &spec->long_tail;
    for (int64_t i = 0; i < ds->list.n; i++)
        ds->before_tail += ds->list.items[i].part == AN_TRAIN;
    ds->profile = tail->profile;
    if (tail->profile == AN_NATURAL)
        return AN_OK;
    size_t at = strlen(ds->split_name), room = sizeof ds->split_name - at;
    snprintf(ds->split_name + at, room, ", %s %g", an_profile_names[tail->profile], tail->ratio);
    return an_long_tail_cut(&ds->list, tail, spec->seed);
}

static an_code collect_part(an_dataset *ds, an_part part)
{
    const an_listing *list = &ds->list;
    int64_t n = 0;
    for (int64_t i = 0; i < list->n; i++)
        n += list->items[i].part == part;
    ds->members[part] = an_alloc((size_t)n * sizeof *ds->members[part]);
    ds->counts[part] = an_calloc((size_t)list->K, sizeof *ds->counts[part]);
    if (!ds->members[part] || !ds->counts[part])
        return AN_ENOMEM;
    for (int64_t i = 0; i < list->n; i++) {
        if (list->items[i].part != part)
            continue;
        ds->members[part][ds->n[part]++] = i;
        ds->counts[part][list->items[i].label]++;
    }
    return AN_OK;
}

/* Without a validation part, validation uses the test part. */
static an_code collect_parts(an_dataset *ds)
{
    for (int part = 0; part < AN_PARTS; part++) {
        an_code code = collect_part(ds, (an_part)part);
        if (code != AN_OK)
            return code;
    }
    if (ds->n[AN_VAL] > 0)
        return AN_OK;
    an_free(ds->members[AN_VAL]);
    ds->members[AN_VAL] = an_alloc((size_t)ds->n[AN_TEST] * sizeof *ds->members[AN_VAL]);
    if (!ds->members[AN_VAL])
        return AN_ENOMEM;
    memcpy(ds->members[AN_VAL], ds->members[AN_TEST],
           (size_t)ds->n[AN_TEST] * sizeof *ds->members[AN_VAL]);
    memcpy(ds->counts[AN_VAL], ds->counts[AN_TEST],
           (size_t)ds->list.K * sizeof *ds->counts[AN_VAL]);
    ds->n[AN_VAL] = ds->n[AN_TEST];
    ds->test_is_val = true;
    return AN_OK;
}

/* The group of each class. All folds of a cross-validation have the same groups: they follow from
 * the mean number of training images over the folds or, in a set cut to a long tail, from the
 * training part, where folds differ only by rounding. */
static an_code group_classes(an_dataset *ds, const an_dataset_spec *spec)
{
    int K = ds->list.K;
    double *n = an_alloc((size_t)K * sizeof *n);
    ds->shot = an_calloc((size_t)K, sizeof *ds->shot);
    if (!n || !ds->shot)
        return an_free(n), AN_ENOMEM;
    for (int j = 0; j < K; j++) {
        n[j] = (double)ds->counts[AN_TRAIN][j];
        if (ds->fold.folds > 0 && ds->profile == AN_NATURAL) {
            double trained = 1 - 1.0 / ds->fold.folds - ds->val;
            int64_t all = ds->counts[AN_TRAIN][j] + ds->counts[AN_TEST][j];
            n[j] = trained * (double)(all + (ds->test_is_val ? 0 : ds->counts[AN_VAL][j]));
        }
    }
    an_code code = an_class_groups(n, ds->list.classes, K, &spec->groups, ds->shot);
    an_free(n);
    return code;
}

static an_code open_dataset(an_dataset *ds, const an_dataset_spec *spec)
{
    ds->name = an_strdup(spec->name);
    if (!ds->name)
        return AN_ENOMEM;
    an_code code = spec->source == AN_FROM_LESIONS    ? open_lesions(ds, spec)
                   : spec->source == AN_FROM_FEATURES ? open_features(ds, spec)
                   : spec->source > AN_FROM_LESIONS   ? open_container(ds, spec)
                                                      : open_files(ds, spec);
    if (code == AN_OK)
        code = cut_tail(ds, spec);
    if (code == AN_OK)
        code = collect_parts(ds);
    if (code == AN_OK)
        code = group_classes(ds, spec);
    if (code == AN_OK)
        code = an_split_leaks(&ds->list, &ds->group_leaks, &ds->copy_leaks);
    if (code == AN_OK)
        code = an_listing_conflicts(&ds->list, &ds->conflicts, ds->conflict);
    if (code == AN_OK && ds->features.values)
        code = an_features_measure(&ds->list, spec->normalise ? ds->members[AN_TRAIN] : NULL,
                                   ds->n[AN_TRAIN], &ds->features, &ds->feature_mean,
                                   &ds->feature_std);
    if (code != AN_OK)
        return code;
    an_listing_hash(&ds->list, true, ds->sha256);
    an_listing_hash(&ds->list, false, ds->earlier_sha256);
    an_split_hash(&ds->list, ds->split_sha256);
    if (ds->images.pixels)
        code = an_pixel_moments(ds->images.pixels, ds->members[AN_TRAIN], ds->n[AN_TRAIN],
                                (int64_t)ds->H * ds->W, ds->mean, ds->std);
    return code;
}

an_dataset *an_dataset_open(const an_dataset_spec *spec)
{
    bool tokens = spec->source == AN_FROM_FEATURES;
    if (spec->H < 1 || spec->W < 1 || (!tokens && (spec->H > 1024 || spec->W > 1024)))
        return an_fail(AN_EINVAL, "data: a size of %dx%d; 1 to 1024 pixels a side are possible",
                       spec->W, spec->H),
               NULL;
    an_dataset *ds = an_calloc(1, sizeof *ds);
    if (!ds)
        return NULL;
    ds->H = spec->H, ds->W = spec->W, ds->channels = 3, ds->seed = spec->seed;
    ds->unordered = spec->unordered;
    ds->val = spec->val, ds->test = spec->test, ds->groups = spec->groups;
    ds->groups.head_names = ds->groups.tail_names = NULL;
    ds->fold = spec->fold;
    if (open_dataset(ds, spec) == AN_OK)
        return ds;
    an_dataset_close(ds);
    return NULL;
}

void an_dataset_close(an_dataset *ds)
{
    if (!ds)
        return;
    for (int part = 0; part < AN_PARTS; part++) {
        an_free(ds->members[part]);
        an_free(ds->counts[part]);
    }
    an_free(ds->shot);
    an_pixel_cache_close(&ds->images);
    an_features_close(&ds->features);
    an_free(ds->feature_mean);
    an_free(ds->feature_std);
    an_listing_free(&ds->list);
    an_free(ds->name);
    an_free(ds);
}

/* ── reading ──────────────────────────────────────────────────────────────────── */

const an_item *an_dataset_item(const an_dataset *ds, an_part part, int64_t position)
{
    AN_ASSERT(part < AN_PARTS);
    AN_ASSERT(position >= 0 && position < ds->n[part]);
    return &ds->list.items[ds->members[part][position]];
}

int an_dataset_label(const an_dataset *ds, an_part part, int64_t position)
{
    return an_dataset_item(ds, part, position)->label;
}

an_code an_dataset_batch(const an_dataset *ds, an_part part, const int64_t *positions, int64_t B,
                         const an_augment *how, const an_normalisation *by, uint64_t seed,
                         uint64_t epoch, float *images, int64_t *labels)
{
    AN_ASSERT(part < AN_PARTS && B >= 0);
    int64_t size = (int64_t)ds->H * ds->W * ds->channels;
    for (int64_t b = 0; b < B; b++)
        if (positions[b] < 0 || positions[b] >= ds->n[part])
            return an_fail(AN_EINVAL, "position %lld is outside the %s part, 0 to %lld",
                           (long long)positions[b], an_part_names[part],
                           (long long)ds->n[part] - 1);
    if (ds->features.values && how && an_augment_changes(how))
        return an_fail(AN_EINVAL, "augment changes pixels, and %s has features", ds->name);
    if (how && how->transpose && ds->H != ds->W)
        return an_fail(AN_EINVAL, "augment.transpose requires square images; these are %dx%d",
                       ds->W, ds->H);
    const float *mean = by ? by->mean : ds->mean, *std = by ? by->std : ds->std;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < B; b++) {
        int64_t item = ds->members[part][positions[b]];
        an_address at = {seed, epoch, (uint64_t)item};
        if (ds->features.values)
            an_features_row(&ds->features, ds->list.items[item].row, ds->feature_mean,
                            ds->feature_std, images + b * size);
        else
            an_augment_image(how, at, ds->images.pixels + item * size, ds->H, ds->W, mean, std,
                             images + b * size);
        labels[b] = ds->list.items[item].label;
    }
    return ds->features.values ? an_features_unchanged(&ds->features) : AN_OK;
}

an_code an_dataset_clusters(const an_dataset *ds, an_part part, int64_t *cluster)
{
    AN_ASSERT(part < AN_PARTS);
    int64_t *all = an_alloc((size_t)ds->list.n * sizeof *all);
    an_code code = all ? an_split_clusters(&ds->list, all) : AN_ENOMEM;
    for (int64_t i = 0; code == AN_OK && i < ds->n[part]; i++)
        cluster[i] = all[ds->members[part][i]];
    an_free(all);
    return code;
}

an_code an_dataset_order(const an_dataset *ds, an_part part, an_class_sampling sampling,
                         uint64_t seed, int64_t epoch, int64_t first, int64_t epochs, int64_t *out)
{
    AN_ASSERT(part < AN_PARTS);
    int *labels = an_alloc((size_t)ds->n[part] * sizeof *labels);
    if (!labels)
        return AN_ENOMEM;
    for (int64_t i = 0; i < ds->n[part]; i++)
        labels[i] = an_dataset_label(ds, part, i);
    an_code code =
        an_epoch_order(labels, ds->n[part], ds->list.K, sampling, seed, epoch, first, epochs, out);
    an_free(labels);
    return code;
}
