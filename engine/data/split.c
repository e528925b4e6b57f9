/* split: see split.h. O(n log n) for sorting the groups. */
#include "data/split.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/rng.h"

typedef struct group {
    int64_t first, size; /* its lowest item; its number of items */
    int64_t rank;        /* its position in a random order         */
    int label;
    int bin; /* an an_part, or a fold from 0                  */
} group;

/* The bins that receive the images of a cut, each with its share. */
typedef struct bins {
    int n;
    const double *fraction; /* of all images; 0: the bin gets nothing                */
    bool folds;             /* the bins are folds, not parts                         */
} bins;

/* ── groups: leader[i] leads to the lowest item of i's group ─────────────────────── */

static int64_t find(int64_t *leader, int64_t i)
{
    while (leader[i] != i)
        i = leader[i] = leader[leader[i]];
    return i;
}

static void join(int64_t *leader, int64_t a, int64_t b)
{
    a = find(leader, a), b = find(leader, b);
    if (a < b)
        leader[b] = a;
    else
        leader[a] = b;
}

typedef const char *(*name_fn)(const an_item *item);

static const char *group_name(const an_item *item)
{
    return item->group;
}

static const char *content_name(const an_item *item)
{
    return *item->hash ? item->hash : NULL;
}

typedef struct named {
    const char *name;
    int64_t item;
} named;

static int by_name(const void *a, const void *b)
{
    const named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->item > y->item) - (x->item < y->item);
}

/* Joins the items that have the same name. */
static an_code join_same(const an_listing *list, int64_t *leader, name_fn name)
{
    named *all = an_alloc((size_t)list->n * sizeof *all);
    if (!all)
        return AN_ENOMEM;
    int64_t n = 0;
    for (int64_t i = 0; i < list->n; i++)
        if (name(&list->items[i]))
            all[n++] = (named){name(&list->items[i]), i};
    qsort(all, (size_t)n, sizeof *all, by_name);
    for (int64_t i = 1; i < n; i++)
        if (strcmp(all[i].name, all[i - 1].name) == 0)
            join(leader, all[i - 1].item, all[i].item);
    an_free(all);
    return AN_OK;
}

static int64_t *leaders(const an_listing *list, bool groups, bool copies)
{
    int64_t *leader = an_alloc((size_t)list->n * sizeof *leader);
    if (!leader)
        return NULL;
    for (int64_t i = 0; i < list->n; i++)
        leader[i] = i;
    an_code code = groups ? join_same(list, leader, group_name) : AN_OK;
    if (code == AN_OK && copies)
        code = join_same(list, leader, content_name);
    if (code == AN_OK)
        return leader;
    an_free(leader);
    return NULL;
}

/* ── the cut ──────────────────────────────────────────────────────────────────── */

static int by_class_and_size(const void *a, const void *b)
{
    const group *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Gathers the groups of the items whose part is `from`; number[i] becomes the group of
 * leader i. Returns how many. */
static int64_t gather(const an_listing *list, int64_t *leader, an_part from, group *groups,
                      int64_t *number)
{
    int64_t n = 0;
    for (int64_t i = 0; i < list->n; i++)
        number[i] = -1;
    for (int64_t i = 0; i < list->n; i++) {
        if (list->items[i].part != from)
            continue;
        int64_t lead = find(leader, i);
        if (number[lead] < 0) {
            number[lead] = n;
            groups[n++] = (group){.first = lead, .label = list->items[i].label};
        }
        groups[number[lead]].size++;
    }
    return n;
}

/* Distributes one class's groups, largest first. A group goes where it lowers Σ (have −
 * share)²/share most; once the remaining groups are no more than the empty bins, only to an empty
 * bin. For folds the first choice differs between classes, so that the remainders of all classes do
 * not go to fold 0. */
static void deal(group *groups, int64_t n, const bins *to)
{
    double total = 0, have[AN_MOST_FOLDS] = {0};
    int64_t empty = 0;
    int first = to->folds ? groups[0].label % to->n : 0;
    for (int bin = 0; bin < to->n; bin++)
        empty += to->fraction[bin] > 0;
    for (int64_t g = 0; g < n; g++)
        total += (double)groups[g].size;
    for (int64_t g = 0; g < n; g++) {
        double best = -INFINITY, size = (double)groups[g].size;
        bool reserved = n - g <= empty;
        for (int i = 0; i < to->n; i++) {
            int bin = (first + i) % to->n;
            double share = to->fraction[bin] * total;
            if (share <= 0 || (reserved && have[bin] > 0))
                continue;
            double gain = 1 - (have[bin] + size / 2) / share;
            if (gain > best)
                best = gain, groups[g].bin = bin;
        }
        empty -= have[groups[g].bin] == 0;
        have[groups[g].bin] += size;
    }
}

static void assign(an_listing *list, int64_t *leader, an_part from, group *groups, int64_t n,
                   int64_t *number, const bins *to)
{
    qsort(groups, (size_t)n, sizeof *groups, by_class_and_size);
    for (int64_t lo = 0, hi; lo < n; lo = hi) {
        for (hi = lo; hi < n && groups[hi].label == groups[lo].label;)
            hi++;
        deal(groups + lo, hi - lo, to);
    }
    for (int64_t g = 0; g < n; g++)
        number[groups[g].first] = g;
    for (int64_t i = 0; i < list->n; i++) {
        if (list->items[i].part != from)
            continue;
        int bin = groups[number[find(leader, i)]].bin;
        if (to->folds)
            list->items[i].fold = bin + 1;
        else
            list->items[i].part = (an_part)bin;
    }
}

static an_code cut_into(an_listing *list, an_part from, const bins *to, uint64_t seed)
{
    size_t n = (size_t)list->n;
    int64_t *leader = leaders(list, !list->divides_groups, true);
    group *groups = an_calloc(n, sizeof *groups);
    int64_t *number = an_alloc(n * sizeof *number), *rank = an_alloc(n * sizeof *rank);
    an_code code = leader && groups && number && rank ? AN_OK : AN_ENOMEM;
    if (code == AN_OK) {
        int64_t count = gather(list, leader, from, groups, number);
        an_permutation(rank, count, seed, an_stream(to->folds ? "folds" : "split", 0, 0));
        for (int64_t g = 0; g < count; g++)
            groups[g].rank = rank[g];
        assign(list, leader, from, groups, count, number, to);
    }
    an_free(leader);
    an_free(groups);
    an_free(number);
    an_free(rank);
    return code;
}

static an_code cut(an_listing *list, an_part from, const double fraction[AN_PARTS], uint64_t seed)
{
    return cut_into(list, from, &(bins){.n = AN_PARTS, .fraction = fraction}, seed);
}

/* ── the whole ────────────────────────────────────────────────────────────────── */

an_code an_split_complete(an_listing *list, double val, double test, uint64_t seed)
{
    AN_ASSERT(list->sealed);
    int64_t count[AN_UNASSIGNED + 1] = {0};
    for (int64_t i = 0; i < list->n; i++)
        count[list->items[i].part]++;
    bool whole = count[AN_UNASSIGNED] > 0; /* sources assign all items or none */
    if (!(val >= 0 && val < 1) || (whole && !(test > 0 && val + test < 1)))
        return an_fail(AN_EINVAL,
                       "split: val = %g and test = %g must be fractions with val >= 0, "
                       "test > 0 and val + test < 1",
                       val, test);
    an_code code = AN_OK;
    if (whole) {
        code = cut(list, AN_UNASSIGNED, (double[]){1 - val - test, val, test}, seed);
    } else if (count[AN_TRAIN] && count[AN_TEST] && !count[AN_VAL] && val > 0) {
        code = cut(list, AN_TRAIN, (double[]){1 - val, val, 0}, seed);
    } else if (count[AN_VAL] && !count[AN_TEST]) {
        for (int64_t i = 0; i < list->n; i++)
            if (list->items[i].part == AN_VAL)
                list->items[i].part = AN_TEST;
    }
    return code == AN_OK ? an_split_check(list, whole) : code;
}

/* ── cross-validation ─────────────────────────────────────────────────────────── */

an_code an_split_into_folds(an_listing *list, int folds, uint64_t seed)
{
    AN_ASSERT(list->sealed);
    if (folds < 2 || folds > AN_MOST_FOLDS)
        return an_fail(AN_EINVAL, "folds = %d; 2 to %d are possible", folds, AN_MOST_FOLDS);
    double fraction[AN_MOST_FOLDS];
    for (int k = 0; k < folds; k++)
        fraction[k] = 1.0 / folds;
    for (int64_t i = 0; i < list->n; i++)
        list->items[i].part = AN_UNASSIGNED;
    return cut_into(list, AN_UNASSIGNED, &(bins){folds, fraction, true}, seed);
}

an_code an_split_of_fold(an_listing *list, int folds, int fold, double val, uint64_t seed)
{
    AN_ASSERT(list->sealed && folds >= 2 && fold >= 0 && fold < folds);
    for (int64_t i = 0; i < list->n; i++)
        AN_ASSERT_SLOW(list->items[i].fold >= 1 && list->items[i].fold <= folds);
    double share = val * folds / (folds - 1); /* of the images outside the test fold */
    if (!(val >= 0 && share < 1))
        return an_fail(AN_EINVAL,
                       "split: val = %g of all images leaves nothing to train on in %d folds", val,
                       folds);
    for (int64_t i = 0; i < list->n; i++)
        list->items[i].part = list->items[i].fold == fold + 1 ? AN_TEST : AN_TRAIN;
    an_code code = share > 0 ? cut(list, AN_TRAIN, (double[]){1 - share, share, 0}, seed) : AN_OK;
    return code == AN_OK ? an_split_check(list, true) : code;
}

/* Gives the last word of the line "key TAB class TAB word"; items without one have no line. */
typedef const char *(*word_fn)(const an_item *item, char room[16]);

static void hash_lines(const an_listing *list, word_fn word, char hex[AN_SHA256_HEX])
{
    AN_ASSERT(list->sealed);
    an_sha256 hash;
    an_sha256_init(&hash);
    for (int64_t i = 0; i < list->n; i++) {
        const an_item *item = &list->items[i];
        char room[16];
        const char *last = word(item, room);
        if (!last)
            continue;
        an_sha256_update(&hash, item->key, strlen(item->key));
        an_sha256_update(&hash, "\t", 1);
        an_sha256_update(&hash, item->class_name, strlen(item->class_name));
        an_sha256_update(&hash, "\t", 1);
        an_sha256_update(&hash, last, strlen(last));
        an_sha256_update(&hash, "\n", 1);
    }
    an_sha256_hex(&hash, hex);
}

static const char *fold_word(const an_item *item, char room[16])
{
    snprintf(room, 16, "%d", item->fold);
    return room;
}

void an_split_fold_hash(const an_listing *list, char hex[AN_SHA256_HEX])
{
    hash_lines(list, fold_word, hex);
}

static an_code clusters(const an_listing *list, bool groups, int64_t *cluster)
{
    AN_ASSERT(list->sealed);
    int64_t *leader = leaders(list, groups, true);
    if (!leader)
        return AN_ENOMEM;
    for (int64_t i = 0; i < list->n; i++)
        cluster[i] = find(leader, i);
    an_free(leader);
    return AN_OK;
}

an_code an_split_clusters(const an_listing *list, int64_t *cluster)
{
    return clusters(list, true, cluster);
}

an_code an_split_units(const an_listing *list, int64_t *unit)
{
    return clusters(list, !list->divides_groups, unit);
}

/* ── identity, leaks ──────────────────────────────────────────────────────────── */

static const char *part_word(const an_item *item, char room[16])
{
    (void)room;
    return item->part < AN_PARTS ? an_part_names[item->part] : NULL;
}

void an_split_hash(const an_listing *list, char hex[AN_SHA256_HEX])
{
    hash_lines(list, part_word, hex);
}

/* How many images of val and test have a leader that also leads a training image. */
static int64_t count_leaks(const an_listing *list, int64_t *leader, bool *trained)
{
    int64_t leaks = 0;
    memset(trained, 0, (size_t)list->n * sizeof *trained);
    for (int64_t i = 0; i < list->n; i++)
        if (list->items[i].part == AN_TRAIN)
            trained[find(leader, i)] = true;
    for (int64_t i = 0; i < list->n; i++) {
        an_part part = list->items[i].part;
        leaks += (part == AN_VAL || part == AN_TEST) && trained[find(leader, i)];
    }
    return leaks;
}

an_code an_split_leaks(const an_listing *list, int64_t *groups, int64_t *copies)
{
    AN_ASSERT(list->sealed);
    int64_t *by_group = leaders(list, true, false), *by_copy = leaders(list, false, true);
    bool *trained = an_alloc((size_t)list->n * sizeof *trained);
    an_code code = by_group && by_copy && trained ? AN_OK : AN_ENOMEM;
    if (code == AN_OK) {
        *groups = count_leaks(list, by_group, trained);
        *copies = count_leaks(list, by_copy, trained);
    }
    an_free(by_group);
    an_free(by_copy);
    an_free(trained);
    return code;
}
