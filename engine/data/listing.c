/* listing: see listing.h. */
#include "data/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"

const char *const an_part_names[AN_PARTS + 1] = {
    [AN_TRAIN] = "train", [AN_VAL] = "val", [AN_TEST] = "test"};

an_code an_listing_begin(an_listing *list, const char *source)
{
    *list = (an_listing){0};
    list->source = an_string_arena_text(&list->text, source);
    return list->source ? AN_OK : AN_ENOMEM;
}

void an_listing_free(an_listing *list)
{
    an_free(list->items);
    an_free(list->classes);
    an_string_arena_free(&list->text);
    *list = (an_listing){0};
}

an_code an_listing_add(an_listing *list, const an_item *item)
{
    AN_ASSERT(!list->sealed);
    AN_ASSERT(item->key && item->class_name);
    if (list->n == list->room) {
        int64_t room = list->room ? list->room * 2 : 256;
        an_item *items = an_realloc(list->items, (size_t)room * sizeof *items);
        if (!items)
            return AN_ENOMEM;
        list->items = items, list->room = room;
    }
    an_item *copy = &list->items[list->n];
    *copy = *item;
    copy->key = an_string_arena_text(&list->text, item->key);
    copy->class_name = an_string_arena_text(&list->text, item->class_name);
    if (!copy->key || !copy->class_name)
        return AN_ENOMEM;
    copy->path = item->path ? an_string_arena_text(&list->text, item->path) : NULL;
    copy->group =
        item->group && *item->group ? an_string_arena_text(&list->text, item->group) : NULL;
    if (item->path && !copy->path)
        return AN_ENOMEM;
    if (item->group && *item->group && !copy->group)
        return AN_ENOMEM;
    list->n++;
    return AN_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

an_code an_listing_classes(an_listing *list, const char *const *names, int K)
{
    AN_ASSERT(!list->sealed && !list->classes && K >= 1);
    list->classes = an_calloc((size_t)K, sizeof *list->classes);
    if (!list->classes)
        return AN_ENOMEM;
    for (int k = 0; k < K; k++) {
        list->classes[k] = an_string_arena_text(&list->text, names[k]);
        if (!list->classes[k])
            return AN_ENOMEM;
    }
    list->K = K;
    const char **sorted = an_alloc((size_t)K * sizeof *sorted);
    if (!sorted)
        return AN_ENOMEM;
    memcpy(sorted, list->classes, (size_t)K * sizeof *sorted);
    qsort(sorted, (size_t)K, sizeof *sorted, by_text);
    an_code code = AN_OK;
    for (int k = 1; code == AN_OK && k < K; k++)
        if (strcmp(sorted[k - 1], sorted[k]) == 0)
            code = an_fail(AN_EINVAL, "classes: '%s' is listed twice", sorted[k]);
    an_free(sorted);
    return code;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const an_item *)a)->key, ((const an_item *)b)->key);
}

static an_code collect_classes(an_listing *list)
{
    const char **names = an_calloc((size_t)list->n, sizeof *names);
    if (!names)
        return AN_ENOMEM;
    for (int64_t i = 0; i < list->n; i++)
        names[i] = list->items[i].class_name;
    qsort(names, (size_t)list->n, sizeof *names, by_text);
    int K = 0;
    for (int64_t i = 0; i < list->n; i++)
        if (i == 0 || strcmp(names[i], names[K - 1]) != 0)
            names[K++] = names[i];
    list->classes = names, list->K = K;
    return AN_OK;
}

static an_code unknown_class(const an_listing *list, const an_item *item)
{
    char known[300] = "";
    size_t at = 0;
    for (int k = 0; k < list->K && at < sizeof known; k++)
        at += (size_t)snprintf(known + at, sizeof known - at, k ? ", %s" : "%s", list->classes[k]);
    char where[32] = "";
    if (item->line)
        snprintf(where, sizeof where, " line %lld", (long long)item->line);
    return an_fail(AN_EFORMAT,
                   "%s%s: '%s' has the unknown label '%s'; the classes are %s "
                   "(correct the label or name the class in `classes`)",
                   list->source, where, item->key, item->class_name, known);
}

/* A class name and its number. */
typedef struct class_entry {
    const char *name;
    int label;
} class_entry;

static int by_class(const void *a, const void *b)
{
    return strcmp(((const class_entry *)a)->name, ((const class_entry *)b)->name);
}

/* The classes may be in any order, so names are looked up in a sorted copy. */
static an_code number_labels(an_listing *list)
{
    class_entry *sorted = an_alloc((size_t)list->K * sizeof *sorted);
    if (!sorted)
        return AN_ENOMEM;
    for (int k = 0; k < list->K; k++)
        sorted[k] = (class_entry){list->classes[k], k};
    qsort(sorted, (size_t)list->K, sizeof *sorted, by_class);
    an_code code = AN_OK;
    for (int64_t i = 0; code == AN_OK && i < list->n; i++) {
        an_item *item = &list->items[i];
        class_entry sample = {.name = item->class_name};
        const class_entry *found =
            bsearch(&sample, sorted, (size_t)list->K, sizeof sample, by_class);
        if (found)
            item->label = found->label;
        else
            code = unknown_class(list, item);
    }
    an_free(sorted);
    return code;
}

an_code an_listing_seal(an_listing *list)
{
    AN_ASSERT(!list->sealed);
    if (list->n == 0)
        return an_fail(AN_EFORMAT, "%s: no image is listed", list->source);
    an_code code = list->classes ? AN_OK : collect_classes(list);
    if (code != AN_OK)
        return code;
    if (list->K < 2)
        return an_fail(AN_EFORMAT, "%s: only one class ('%s'); at least two are needed",
                       list->source, list->classes[0]);
    if (list->K > AN_MOST_CLASSES)
        return an_fail(AN_EFORMAT,
                       "%s: %d classes in %lld images, more than %d; is the column of the labels "
                       "right?",
                       list->source, list->K, (long long)list->n, AN_MOST_CLASSES);
    qsort(list->items, (size_t)list->n, sizeof *list->items, by_key);
    for (int64_t i = 1; i < list->n; i++) {
        const an_item *a = &list->items[i - 1], *b = &list->items[i];
        if (strcmp(a->key, b->key) == 0)
            return an_fail(
                AN_EFORMAT,
                "%s: image '%s' is listed twice, lines %lld and %lld; remove one of them",
                list->source, a->key, (long long)(a->line < b->line ? a->line : b->line),
                (long long)(a->line < b->line ? b->line : a->line));
    }
    code = number_labels(list);
    list->sealed = code == AN_OK;
    return code;
}

an_item *an_listing_find(const an_listing *list, const char *key)
{
    AN_ASSERT(list->sealed);
    an_item sample = {.key = key};
    return bsearch(&sample, list->items, (size_t)list->n, sizeof sample, by_key);
}

static int by_content(const void *a, const void *b)
{
    const an_item *x = *(const an_item *const *)a, *y = *(const an_item *const *)b;
    int order = strcmp(x->hash, y->hash);
    return order ? order : strcmp(x->key, y->key);
}

an_code an_listing_conflicts(const an_listing *list, int64_t *n, const an_item *pair[2])
{
    AN_ASSERT(list->sealed);
    AN_ASSERT_SLOW(an_listing_hashed(list));
    *n = 0, pair[0] = pair[1] = NULL;
    const an_item **items = an_alloc((size_t)list->n * sizeof *items);
    if (!items)
        return AN_ENOMEM;
    for (int64_t i = 0; i < list->n; i++)
        items[i] = &list->items[i];
    qsort(items, (size_t)list->n, sizeof *items, by_content);
    for (int64_t lo = 0, hi; lo < list->n; lo = hi) {
        const an_item *other = NULL; /* the first of another class than items[lo] */
        for (hi = lo; hi < list->n && strcmp(items[hi]->hash, items[lo]->hash) == 0; hi++)
            if (!other && items[hi]->label != items[lo]->label)
                other = items[hi];
        *n += other ? hi - lo : 0;
        if (other && !pair[0])
            pair[0] = items[lo], pair[1] = other;
    }
    an_free(items);
    return AN_OK;
}

bool an_listing_hashed(const an_listing *list)
{
    for (int64_t i = 0; i < list->n; i++)
        if (!*list->items[i].hash)
            return false;
    return true;
}

void an_listing_hash(const an_listing *list, bool newest, char hex[AN_SHA256_HEX])
{
    AN_ASSERT(list->sealed);
    AN_ASSERT_SLOW(an_listing_hashed(list));
    an_sha256 hash;
    an_sha256_init(&hash);
    for (int64_t i = 0; i < list->n; i++) {
        const an_item *item = &list->items[i];
        an_sha256_update(&hash, item->key, strlen(item->key));
        an_sha256_update(&hash, "\t", 1);
        an_sha256_update(&hash, item->hash, strlen(item->hash));
        if (newest && item->pixel_version != 0) {
            char version[16];
            int count = snprintf(version, sizeof version, "+%d", item->pixel_version);
            an_sha256_update(&hash, version, (size_t)count);
        }
        an_sha256_update(&hash, "\t", 1);
        an_sha256_update(&hash, item->class_name, strlen(item->class_name));
        an_sha256_update(&hash, "\n", 1);
    }
    an_sha256_hex(&hash, hex);
}
