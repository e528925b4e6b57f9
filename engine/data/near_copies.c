/* near_copies: see near_copies.h. O(n log n) for sorting the bands, n·bands·window comparisons. */
#include "data/near_copies.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/mem.h"
#include "base/stop.h"
#include "data/resize.h"

enum { ROWS = 16, COLUMNS = 17, SMALL = ROWS * COLUMNS, WORDS = 4, SIDE = 32, INNER = SIDE - 2 };
_Static_assert(AN_NEAR_BANDS *AN_NEAR_BAND <= 64 * WORDS, "the bands are parts of the bits");

typedef struct print {
    uint64_t bits[WORDS];
    uint8_t small[SMALL], large[SIDE * SIDE]; /* in grey */
} print;

typedef struct band {
    uint16_t value;
    int64_t item;
} band;

/* ── fingerprints ─────────────────────────────────────────────────────────────── */

/* BT.601 luma of (n, 3). */
static void to_grey(const uint8_t *rgb, int n, uint8_t *grey)
{
    for (int i = 0; i < n; i++, rgb += 3)
        grey[i] = (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8);
}

static void set_bits(print *p)
{
    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x + 1 < COLUMNS; x++)
            if (p->small[y * COLUMNS + x] < p->small[y * COLUMNS + x + 1])
                p->bits[y / 4] |= 1ULL << (y % 4 * 16 + x);
}

static an_code make_print(const uint8_t *pixels, int H, int W, print *to)
{
    uint8_t *rgba = an_calloc((size_t)H * (size_t)W, 4), rgb[SIDE * SIDE * 3];
    if (!rgba)
        return AN_ENOMEM;
    *to = (print){0};
    for (int64_t i = 0; i < (int64_t)H * W; i++)
        memcpy(rgba + 4 * i, pixels + 3 * i, 3);
    an_code code = an_resize(rgba, H, W, rgb, SIDE, SIDE, AN_STRETCH);
    to_grey(rgb, SIDE * SIDE, to->large);
    if (code == AN_OK)
        code = an_resize(rgba, H, W, rgb, ROWS, COLUMNS, AN_STRETCH);
    to_grey(rgb, SMALL, to->small);
    set_bits(to);
    an_free(rgba);
    return code;
}

static int differing_bits(const print *a, const print *b)
{
    int bits = 0;
    for (int w = 0; w < WORDS; w++)
        bits += __builtin_popcountll(a->bits[w] ^ b->bits[w]);
    return bits;
}

/* Sums over n pairs of numbers, from which their correlation follows. */
typedef struct sums {
    int64_t n, a, b, aa, bb, ab;
} sums;

static void add_pair(sums *s, int a, int b)
{
    s->n++, s->a += a, s->b += b, s->aa += a * a, s->bb += b * b, s->ab += a * b;
}

/* Pearson's correlation is at least `least`, and both standard deviations `contrast`. */
static bool correlates(const sums *s, double least, double contrast)
{
    double a = (double)(s->n * s->aa - s->a * s->a), b = (double)(s->n * s->bb - s->b * s->b);
    double flat = contrast * contrast * (double)(s->n * s->n);
    return a > 0 && b > 0 && a >= flat && b >= flat &&
           (double)(s->n * s->ab - s->a * s->b) >= least * sqrt(a * b);
}

/* The clamped Laplacian of the pixel at p in a picture of SIDE columns. */
static int laplacian(const uint8_t *p)
{
    int value = 4 * p[0] - p[-1] - p[1] - p[-SIDE] - p[SIDE];
    return (int)an_clamp(value, -AN_NEAR_LIMIT, AN_NEAR_LIMIT);
}

static bool looks_the_same(const print *a, const print *b)
{
    sums shape = {0}, detail = {0};
    for (int i = 0; i < SMALL; i++)
        add_pair(&shape, a->small[i], b->small[i]);
    if (!correlates(&shape, AN_NEAR_SHAPE, AN_NEAR_CONTRAST))
        return false;
    for (int i = 0; i < INNER * INNER; i++) {
        int at = (i / INNER + 1) * SIDE + i % INNER + 1;
        add_pair(&detail, laplacian(a->large + at), laplacian(b->large + at));
    }
    return correlates(&detail, AN_NEAR_DETAIL, 0);
}

/* The k-th band of the bits. */
static uint16_t band_value(const print *p, int k)
{
    int first = k * AN_NEAR_BAND, word = first / 64, shift = first % 64;
    uint64_t bits = p->bits[word] >> shift;
    if (shift > 64 - AN_NEAR_BAND)
        bits |= p->bits[word + 1] << (64 - shift);
    return (uint16_t)(bits & ((1u << AN_NEAR_BAND) - 1));
}

/* ── pairs ────────────────────────────────────────────────────────────────────── */

static int by_value(const void *a, const void *b)
{
    const band *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Stores the pair if exactly one of the two is a training image and the other has no closer one. */
static void compare(const an_listing *list, const print *prints, int64_t i, int64_t j,
                    an_copy *copies, int *bits)
{
    bool trained = list->items[i].part == AN_TRAIN;
    if (trained == (list->items[j].part == AN_TRAIN))
        return;
    int64_t held = trained ? j : i, training = trained ? i : j;
    int distance = differing_bits(&prints[i], &prints[j]);
    bool closer = copies[held].of < 0 || distance < bits[held] ||
                  (distance == bits[held] && training < copies[held].of);
    if (copies[held].exact || distance > AN_NEAR_BITS || !closer ||
        !looks_the_same(&prints[i], &prints[j]))
        return;
    copies[held].of = training, bits[held] = distance;
}

static an_code compare_band(const an_listing *list, const print *prints, band *bands, int64_t n,
                            an_copy *copies, int *bits)
{
    qsort(bands, (size_t)n, sizeof *bands, by_value);
    for (int64_t a = 0; a < n && !an_stop_requested(); a++)
        for (int64_t b = a + 1; b < n && b <= a + AN_NEAR_WINDOW; b++) {
            if (bands[b].value != bands[a].value)
                break;
            compare(list, prints, bands[a].item, bands[b].item, copies, bits);
        }
    return an_stop_check();
}

static an_code find_near(const an_listing *list, const uint8_t *pixels, int H, int W,
                         an_copy *copies)
{
    size_t n = (size_t)list->n;
    int64_t size = (int64_t)H * W * 3, used = 0;
    print *prints = an_alloc(n * sizeof *prints);
    band *bands = an_alloc(n * sizeof *bands);
    int *bits = an_calloc(n, sizeof *bits), failures = 0;
    if (prints && bands && bits) {
#pragma omp parallel for schedule(static) reduction(+ : failures)
        for (int64_t i = 0; i < list->n; i++)
            failures +=
                !an_stop_requested() && make_print(pixels + i * size, H, W, &prints[i]) != AN_OK;
    }
    an_code code = !prints || !bands || !bits ? AN_ENOMEM
                   : failures > 0             ? an_fail(AN_ENOMEM, "no memory for fingerprints")
                                              : an_stop_check();
    for (int k = 0; k < AN_NEAR_BANDS && code == AN_OK; k++) {
        used = 0;
        for (int64_t i = 0; i < list->n; i++)
            if (list->items[i].part < AN_PARTS)
                bands[used++] = (band){band_value(&prints[i], k), i};
        code = compare_band(list, prints, bands, used, copies, bits);
    }
    an_free(prints);
    an_free(bands);
    an_free(bits);
    return code;
}

/* ── the same bytes ───────────────────────────────────────────────────────────── */

static int by_hash(const void *a, const void *b)
{
    const an_item *const *x = a, *const *y = b;
    int order = strcmp((*x)->hash, (*y)->hash);
    return order ? order : (*x > *y) - (*x < *y);
}

static an_code find_exact(const an_listing *list, an_copy *copies)
{
    const an_item **trained = an_alloc((size_t)list->n * sizeof *trained);
    if (!trained)
        return AN_ENOMEM;
    int64_t n = 0, first = 0;
    for (int64_t i = 0; i < list->n; i++)
        if (list->items[i].part == AN_TRAIN && *list->items[i].hash)
            trained[n++] = &list->items[i];
    qsort(trained, (size_t)n, sizeof *trained, by_hash);
    for (int64_t i = 0; i < list->n; i++) {
        const an_item *item = &list->items[i];
        if (item->part != AN_VAL && item->part != AN_TEST)
            continue;
        int64_t hi = n;
        for (first = 0; first < hi;) { /* the first training image whose hash is not lower */
            int64_t middle = first + (hi - first) / 2;
            if (strcmp(trained[middle]->hash, item->hash) < 0)
                first = middle + 1;
            else
                hi = middle;
        }
        if (first < n && strcmp(trained[first]->hash, item->hash) == 0)
            copies[i] = (an_copy){trained[first] - list->items, true};
    }
    an_free(trained);
    return AN_OK;
}

bool an_near_comparable(const an_listing *list, int H, int W)
{
    return H >= AN_NEAR_SIDE && W >= AN_NEAR_SIDE && list->n <= AN_NEAR_IMAGES;
}

an_code an_find_copies(const an_listing *list, const uint8_t *pixels, int H, int W, an_copy *copies)
{
    AN_ASSERT(list->sealed && H >= 1 && W >= 1);
    AN_ASSERT_SLOW(an_listing_hashed(list));
    for (int64_t i = 0; i < list->n; i++)
        copies[i] = (an_copy){-1, false};
    an_code code = find_exact(list, copies);
    if (code != AN_OK || !an_near_comparable(list, H, W))
        return code;
    return find_near(list, pixels, H, W, copies);
}
