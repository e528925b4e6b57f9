/* source_features: see source_features.h. */
#include "data/source_features.h"

#include "base/memory/mem.h"
#include "base/par.h"
#include "base/stop.h"

/* ── the listing ──────────────────────────────────────────────────────────────── */

static an_code add_rows(an_listing *list, const an_image_rows *rows, const int64_t *feature_row,
                        const an_features *f)
{
    an_code code = AN_OK;
    for (int64_t i = 0; code == AN_OK && i < rows->n; i++) {
        an_item item = {.key = rows->key[i],
                        .class_name = rows->class_name[i],
                        .group = rows->group ? rows->group[i] : NULL,
                        .line = rows->line ? rows->line[i] : 0,
                        .row = feature_row[i],
                        .fold = rows->fold ? (int)rows->fold[i] : 0,
                        .part = rows->part ? (an_part)rows->part[i] : AN_UNASSIGNED};
        if (item.row < 0 || item.row >= f->n)
            return an_fail(AN_EFORMAT, "%s: there is no row %lld; the file has rows 0 to %lld",
                           f->path, (long long)item.row, (long long)f->n - 1);
        code = an_listing_add(list, &item);
    }
    return code;
}

/* ── content ──────────────────────────────────────────────────────────────────── */

enum { PIECES = 64 };

typedef struct content {
    an_listing *list;
    const an_features *f;
    float *tokens;   /* (chunks, width) */
    int64_t *broken; /* (chunks): the smallest row that is not finite, or n */
} content;

static void hash_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    content *c = context;
    const an_features *f = c->f;
    float *own = c->tokens + chunk * f->width;
    for (int64_t i = lo; i < hi && !an_stop_requested(); i++) {
        an_item *item = &c->list->items[i];
        an_features_hash(f, item->row, item->hash);
        bool finite = true;
        for (int64_t t = 0; t < f->tokens; t++)
            finite &= an_features_take_token(f, item->row, t, own);
        if (!finite && item->row < c->broken[chunk])
            c->broken[chunk] = item->row;
    }
}

static an_code refuse_row(const an_listing *list, const an_features *f, int64_t row)
{
    for (int64_t i = 0; i < list->n; i++)
        if (list->items[i].row == row)
            return an_fail(AN_EFORMAT,
                           "%s: row %lld (%s) has a number that is not finite (NaN or infinity)",
                           f->path, (long long)row, list->items[i].key);
    return AN_EFORMAT;
}

static an_code hash_items(an_listing *list, const an_features *f)
{
    int64_t grain = (list->n + PIECES - 1) / PIECES;
    int64_t chunks = an_chunks(list->n, grain), first = f->n;
    content c = {.list = list,
                 .f = f,
                 .tokens = an_alloc((size_t)(chunks * f->width) * sizeof *c.tokens),
                 .broken = an_alloc((size_t)chunks * sizeof *c.broken)};
    an_code code = c.tokens && c.broken ? AN_OK : AN_ENOMEM;
    for (int64_t i = 0; code == AN_OK && i < chunks; i++)
        c.broken[i] = f->n;
    if (code == AN_OK)
        an_par_for(list->n, grain, hash_rows, &c);
    if (code == AN_OK)
        code = an_stop_check();
    for (int64_t i = 0; code == AN_OK && i < chunks; i++)
        first = c.broken[i] < first ? c.broken[i] : first;
    an_free(c.tokens);
    an_free(c.broken);
    return code == AN_OK && first < f->n ? refuse_row(list, f, first) : code;
}

an_code an_list_features(an_listing *list, const an_image_rows *rows, const int64_t *feature_row,
                         an_features *f, const char *path, int64_t tokens)
{
    an_code code = an_features_open(f, path);
    if (code == AN_OK && f->tokens != tokens)
        code = an_fail(AN_EFORMAT, "%s: %lld tokens an image, expected %lld", path,
                       (long long)f->tokens, (long long)tokens);
    if (code == AN_OK)
        code = add_rows(list, rows, feature_row, f);
    if (code == AN_OK)
        code = an_listing_seal(list);
    if (code == AN_OK)
        code = hash_items(list, f);
    return code == AN_OK ? an_features_unchanged(f) : code;
}

an_code an_features_measure(const an_listing *list, const int64_t *items, int64_t n,
                            const an_features *f, float **mean, float **std)
{
    *mean = an_calloc((size_t)f->width, sizeof **mean);
    *std = an_alloc((size_t)f->width * sizeof **std);
    if (!*mean || !*std)
        return AN_ENOMEM;
    for (int64_t d = 0; d < f->width; d++)
        (*std)[d] = 1;
    if (!items || n == 0)
        return AN_OK;
    int64_t *rows = an_alloc((size_t)n * sizeof *rows);
    if (!rows)
        return AN_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        rows[i] = list->items[items[i]].row;
    an_code code = an_features_moments(f, rows, n, *mean, *std);
    an_free(rows);
    return code;
}
