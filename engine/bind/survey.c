/* survey (Lua): core.data.survey(dataset), over data/survey.h and data/near_copies.h. The counts
 * per class that `aniso data info` shows; images outside every part are not counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/dataset.h"
#include "data/dataset.h"
#include "data/near_copies.h"
#include "data/survey.h"

#define EXAMPLES 3 /* pairs of each kind */

typedef struct survey {
    const an_dataset *ds;
    an_image_facts *facts; /* (n) */
    an_copy *copies;       /* (n) */
} survey;

typedef bool (*test)(const survey *s, int64_t i, int64_t limit);

static bool in_part(const survey *s, int64_t i)
{
    return s->ds->list.items[i].part < AN_PARTS;
}

static bool any(const survey *s, int64_t i, int64_t limit)
{
    (void)s, (void)i, (void)limit;
    return true;
}

static bool is_grey(const survey *s, int64_t i, int64_t limit)
{
    (void)limit;
    return s->facts[i].grey;
}

static bool is_larger(const survey *s, int64_t i, int64_t limit)
{
    return s->facts[i].width * s->facts[i].height > limit;
}

static bool is_exact(const survey *s, int64_t i, int64_t limit)
{
    (void)limit;
    return s->copies[i].exact;
}

static bool is_near(const survey *s, int64_t i, int64_t limit)
{
    (void)limit;
    return s->copies[i].of >= 0 && !s->copies[i].exact;
}

/* Sets t[key] to the images per class that pass the test; t is on the top of the stack. */
static void set_counts(lua_State *L, const char *key, const survey *s, test passes, int64_t limit)
{
    const an_listing *list = &s->ds->list;
    lua_createtable(L, list->K, 0);
    int64_t *counts = lua_newuserdatauv(L, (size_t)list->K * sizeof *counts, 0);
    memset(counts, 0, (size_t)list->K * sizeof *counts);
    for (int64_t i = 0; i < list->n; i++)
        counts[list->items[i].label] += in_part(s, i) && passes(s, i, limit);
    for (int k = 0; k < list->K; k++) {
        lua_pushinteger(L, counts[k]);
        lua_rawseti(L, -3, k + 1);
    }
    lua_pop(L, 1);
    lua_setfield(L, -2, key);
}

static void count_text(lua_State *L, const char *text)
{
    lua_getfield(L, -1, text);
    lua_Integer before = lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_pushinteger(L, before + 1);
    lua_setfield(L, -2, text);
}

/* t.format or t.size: per class, a table from "PNG" or "600x450" to the number of such images. */
static void set_texts(lua_State *L, const survey *s, bool sizes)
{
    const an_listing *list = &s->ds->list;
    lua_createtable(L, list->K, 0);
    for (int k = 0; k < list->K; k++) {
        lua_newtable(L);
        lua_rawseti(L, -2, k + 1);
    }
    for (int64_t i = 0; i < list->n; i++) {
        const an_image_facts *facts = &s->facts[i];
        char size[48];
        if (!in_part(s, i) || facts->format == AN_NOT_IMAGE)
            continue;
        snprintf(size, sizeof size, "%lldx%lld", (long long)facts->width, (long long)facts->height);
        lua_rawgeti(L, -1, list->items[i].label + 1);
        count_text(L, sizes ? size : an_format_name(facts->format));
        lua_pop(L, 1);
    }
    lua_setfield(L, -2, sizes ? "size" : "format");
}

static int ascending(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The median number of pixels of the files, the lower one of two; −1 after AN_ENOMEM; 0: no
 * files. */
static int64_t median_pixels(const survey *s)
{
    int64_t n = 0, *pixels = an_alloc((size_t)s->ds->list.n * sizeof *pixels + 1);
    if (!pixels)
        return -1;
    for (int64_t i = 0; i < s->ds->list.n; i++)
        if (in_part(s, i) && s->facts[i].width > 0)
            pixels[n++] = s->facts[i].width * s->facts[i].height;
    qsort(pixels, (size_t)n, sizeof *pixels, ascending);
    int64_t median = n > 0 ? pixels[(n - 1) / 2] : 0;
    an_free(pixels);
    return median;
}

/* t.pairs: some of the copies, { image =, of =, exact = }. */
static void set_pairs(lua_State *L, const survey *s)
{
    const an_listing *list = &s->ds->list;
    int listed[2] = {0};
    lua_newtable(L);
    for (int64_t i = 0; i < list->n; i++) {
        const an_copy *copy = &s->copies[i];
        if (copy->of < 0 || listed[copy->exact] == EXAMPLES)
            continue;
        listed[copy->exact]++;
        lua_createtable(L, 0, 3);
        lua_pushstring(L, list->items[i].key);
        lua_setfield(L, -2, "image");
        lua_pushstring(L, list->items[copy->of].key);
        lua_setfield(L, -2, "of");
        lua_pushboolean(L, copy->exact);
        lua_setfield(L, -2, "exact");
        lua_rawseti(L, -2, listed[0] + listed[1]);
    }
    lua_setfield(L, -2, "pairs");
}

static void push_survey(lua_State *L, const survey *s, int64_t median)
{
    lua_newtable(L);
    set_counts(L, "images", s, any, 0);
    set_counts(L, "grey", s, is_grey, 0);
    set_counts(L, "larger", s, is_larger, median);
    set_counts(L, "exact", s, is_exact, 0);
    if (an_near_comparable(&s->ds->list, s->ds->H, s->ds->W))
        set_counts(L, "near", s, is_near, 0);
    set_texts(L, s, false);
    set_texts(L, s, true);
    set_pairs(L, s);
    lua_pushinteger(L, median);
    lua_setfield(L, -2, "median");
}

int an_lua_survey(lua_State *L)
{
    const an_dataset *ds = an_check_handle(L, 1, AN_DATASET);
    size_t n = (size_t)ds->list.n;
    luaL_argcheck(L, ds->images.pixels, 1, "a data set of images expected");
    /* Lua owns the lists: an error while the table is built frees them. */
    survey s = {.ds = ds,
                .facts = lua_newuserdatauv(L, n * sizeof *s.facts + 1, 0),
                .copies = lua_newuserdatauv(L, n * sizeof *s.copies + 1, 0)};
    an_code code = an_survey(&ds->list, ds->images.pixels, ds->H, ds->W, s.facts);
    if (code == AN_OK)
        code = an_find_copies(&ds->list, ds->images.pixels, ds->H, ds->W, s.copies);
    int64_t median = code == AN_OK ? median_pixels(&s) : -1;
    if (median < 0)
        return an_push_failure(L);
    push_survey(L, &s, median);
    return 1;
}
