/* split_check: explains why a split is impossible; see split.h.
 *
 * A cut moves units: images of one group, or with equal bytes, which stay in one part. A class with
 * a single unit cannot be both trained and tested, whatever the shares; the message states why it
 * is a single unit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "data/split.h"

#define TEXT 400 /* bytes of one piece of a message */

/* An image of a class and the unit that holds it. */
typedef struct member {
    int label;
    int64_t unit, item;
} member;

static int by_label_and_unit(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Of a class: the number of images and of units that contain them, and its first image. */
typedef struct holding {
    int64_t images, units, first;
} holding;

/* The holdings (K) of all images; *units: the number of units over all classes. NULL: no memory. */
static holding *count_holdings(const an_listing *list, int64_t *units)
{
    size_t n = (size_t)list->n;
    int64_t *unit = an_alloc(n * sizeof *unit);
    member *all = an_alloc(n * sizeof *all);
    holding *of = an_calloc((size_t)list->K, sizeof *of);
    bool failed = !unit || !all || !of || an_split_units(list, unit) != AN_OK;
    *units = 0;
    for (size_t i = 0; !failed && i < n; i++) {
        all[i] = (member){list->items[i].label, unit[i], (int64_t)i};
        *units += unit[i] == (int64_t)i;
    }
    if (!failed)
        qsort(all, n, sizeof *all, by_label_and_unit);
    for (size_t i = 0; !failed && i < n; i++) {
        holding *one = &of[all[i].label];
        bool new_unit = one->images == 0 || all[i].unit != all[i - 1].unit;
        if (one->images++ == 0)
            one->first = all[i].item;
        one->units += new_unit;
    }
    an_free(unit);
    an_free(all);
    if (failed)
        an_free(of), of = NULL;
    return of;
}

/* What keeps the images of a unit together, as the end of a sentence. label −1: all classes. */
static const char *describe_unit(const an_listing *list, const holding *of, int label,
                                 char text[TEXT])
{
    const an_item *first = &list->items[of->first];
    bool group = first->group && !list->divides_groups, copies = *first->hash;
    for (int64_t i = 0; i < list->n; i++) {
        const an_item *item = &list->items[i];
        if (label >= 0 && item->label != label)
            continue;
        group = group && item->group && strcmp(item->group, first->group) == 0;
        copies = copies && strcmp(item->hash, first->hash) == 0;
    }
    if (group)
        snprintf(text, TEXT, "are one group ('%s'), which stays in one part", first->group);
    else if (copies)
        snprintf(text, TEXT, "have the same bytes, and copies stay in one part");
    else
        snprintf(text, TEXT, "are linked by groups and equal bytes, and stay in one part");
    return text;
}

/* The remedy for a unit with that description. */
static const char *cure(const char *description)
{
    return strstr(description, "group")
               ? "correct the column of the groups, or leave `group` out"
               : "two different images are the least, three with a validation part";
}

static an_code one_unit(const an_listing *list)
{
    char text[TEXT];
    holding all = {.images = list->n, .first = 0};
    describe_unit(list, &all, -1, text);
    return an_fail(AN_EFORMAT, "%s: no test part can be cut: all %lld images %s; %s", list->source,
                   (long long)list->n, text, cure(text));
}

/* A class of a cut has no training image. */
static an_code untrained(const an_listing *list, const holding *of, int k)
{
    char text[TEXT];
    const char *name = list->classes[k];
    if (of->images == 0)
        return an_fail(AN_EFORMAT, "%s: class '%s' has no image; add some, or remove its name",
                       list->source, name);
    if (of->images == 1)
        return an_fail(AN_EFORMAT,
                       "%s: class '%s' has no training image: it has one image, and two are the "
                       "least (three with a validation part); add images, or leave the class out",
                       list->source, name);
    if (of->units == 1) {
        describe_unit(list, of, k, text);
        return an_fail(AN_EFORMAT,
                       "%s: class '%s' has no training image: its %lld images %s; %s, or leave the "
                       "class out",
                       list->source, name, (long long)of->images, text, cure(text));
    }
    return an_fail(
        AN_EFORMAT,
        "%s: class '%s' has no training image: its %lld images are in %lld groups, which "
        "all went to other parts; lower `test` and `val`, or try another `seed`",
        list->source, name, (long long)of->images, (long long)of->units);
}

/* A cut left the test part empty: no class has a second unit of its own. */
static an_code untested(const an_listing *list, const holding *of, int64_t units)
{
    char text[TEXT];
    int64_t most = 0;
    int sample = 0;
    for (int k = list->K - 1; k >= 0; k--) {
        most = of[k].images > most ? of[k].images : most;
        sample = of[k].images > 1 ? k : sample;
    }
    if (most <= 1)
        return an_fail(AN_EFORMAT,
                       "%s: no test part can be cut: every class has one image, and two are the "
                       "least (three with a validation part); add images",
                       list->source);
    if (of[sample].units == 1) {
        describe_unit(list, &of[sample], sample, text);
        return an_fail(AN_EFORMAT,
                       "%s: no test part can be cut: no class can be divided; the %lld images of "
                       "'%s' %s; %s",
                       list->source, (long long)of[sample].images, list->classes[sample], text,
                       cure(text));
    }
    return an_fail(
        AN_EFORMAT,
        "%s: no test part can be cut: %lld groups are too few for %d classes; two groups "
        "per class are the least; add some, or leave `group` out",
        list->source, (long long)units, list->K);
}

static bool any_in(const an_listing *list, an_part part)
{
    for (int64_t i = 0; i < list->n; i++)
        if (list->items[i].part == part)
            return true;
    return false;
}

static an_code explain_cut(const an_listing *list, int untrained_class)
{
    if (untrained_class < 0 && any_in(list, AN_VAL))
        return an_fail(AN_EFORMAT,
                       "%s: no test part can be cut: no class has a third image or group, and "
                       "validation took the second; give `test` more than `val`, or val = 0",
                       list->source);
    int64_t units;
    holding *of = count_holdings(list, &units);
    if (!of)
        return AN_ENOMEM;
    bool all_single = true;
    for (int k = 0; k < list->K; k++)
        all_single = all_single && of[k].images <= 1;
    if (all_single)
        untrained_class = -1; /* it is not a property of one class */
    an_code code = units == 1 && list->n > 1 ? one_unit(list)
                   : untrained_class >= 0 ? untrained(list, &of[untrained_class], untrained_class)
                                          : untested(list, of, units);
    an_free(of);
    return code;
}

/* Another class whose name differs only in case (ASCII); −1 if there is none. */
static int same_but_for_case(const an_listing *list, int k)
{
    for (int other = 0; other < list->K; other++)
        if (other != k && strcasecmp(list->classes[other], list->classes[k]) == 0)
            return other;
    return -1;
}

static an_code explain_ready_made(const an_listing *list, const int64_t *count, int missing)
{
    const int twin = missing >= 0 ? same_but_for_case(list, missing) : -1;
    if (twin >= 0)
        return an_fail(AN_EFORMAT,
                       "%s: class '%s' has no training image, and '%s' is another class; are they "
                       "one? merge = { { \"%s\", \"%s\" } } makes them one",
                       list->source, list->classes[missing], list->classes[twin],
                       list->classes[twin], list->classes[missing]);
    if (missing >= 0)
        return an_fail(
            AN_EFORMAT,
            "%s: class '%s' has no training image (%lld for validation, %lld for the "
            "test); the parts came with the data: give it some there, or leave the class "
            "out",
            list->source, list->classes[missing], (long long)count[AN_VAL * list->K + missing],
            (long long)count[AN_TEST * list->K + missing]);
    return an_fail(AN_EFORMAT,
                   "%s: the test part is empty; the parts came with the data, and `test` cuts none "
                   "from them: add a test part, or give the images without parts",
                   list->source);
}

an_code an_split_check(const an_listing *list, bool cut)
{
    AN_ASSERT(list->sealed);
    int64_t *count = an_calloc((size_t)list->K * AN_PARTS, sizeof *count);
    if (!count)
        return AN_ENOMEM;
    int64_t tests = 0;
    int missing = -1;
    for (int64_t i = 0; i < list->n; i++) {
        const an_item *item = &list->items[i];
        if (item->part < AN_PARTS)
            count[item->part * list->K + item->label]++;
        tests += item->part == AN_TEST;
    }
    for (int k = list->K - 1; k >= 0; k--)
        if (count[AN_TRAIN * list->K + k] == 0)
            missing = k;
    an_code code = AN_OK;
    if (missing >= 0 || tests == 0)
        code = cut ? explain_cut(list, missing) : explain_ready_made(list, count, missing);
    an_free(count);
    return code;
}
