/* hash_cache: see hash_cache.h. The index consists of lines "size mtime ctime hash pVERSION path",
 * sorted by path, where VERSION is that of the pixels (image_probe.h), and a last line with the
 * checksum of the lines before it; a damaged index is not used. When the rules for versions change,
 * the letter before them changes too, so that an older index is not used. */
#include "data/hash_cache.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/memory/mem.h"
#include "base/stop.h"
#include "io/checksum.h"
#include "io/file.h"
#include "io/file_replace.h"
#include "io/path.h"
#include "data/broken_files.h"
#include "data/cache_folder.h"
#include "data/image.h"
#include "data/image_probe.h"

#define LARGEST ((size_t)1 << 30) /* bytes of an index                */
#define LAST 17                   /* characters of its last line      */
#define SETTLED 2000000000LL /* ns after a change during which another may have the same mtime */

typedef struct entry {
    const char *path; /* NULL: not to be stored */
    an_stamp stamp;
    char hash[AN_SHA256_HEX];
    int pixel_version;
} entry;

typedef struct index_file {
    char path[AN_PATH];
    uint8_t *text;
    entry *entries; /* sorted by path */
    int64_t n;
} index_file;

static int by_path(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}

/* ── reading ──────────────────────────────────────────────────────────────────── */

static bool parse_line(char *line, entry *e)
{
    int at = 0;
    if (sscanf(line, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %64[0-9a-f] p%d %n", &e->stamp.size,
               &e->stamp.mtime, &e->stamp.ctime, e->hash, &e->pixel_version, &at) != 5 ||
        at == 0)
        return false;
    e->path = line + at;
    return strlen(e->hash) == 64;
}

static void last_line(const uint8_t *text, size_t length, char line[LAST + 1])
{
    snprintf(line, LAST + 1, "%016" PRIx64 "\n", an_checksum(text, length));
}

/* The length of the lines before the last one, if that is their checksum; 0 otherwise. */
static size_t verified_length(const uint8_t *text, size_t count)
{
    char last[LAST + 1];
    if (count < LAST || text[count - 1] != '\n')
        return 0;
    size_t length = count - LAST;
    if (length > 0 && text[length - 1] != '\n') /* parsing searches for line ends */
        return 0;
    last_line(text, length, last);
    return memcmp(last, text + length, LAST) == 0 ? length : 0;
}

static void index_read(index_file *index)
{
    size_t count;
    if (!an_path_is_private(index->path) ||
        an_file_read(index->path, LARGEST, &index->text, &count) != AN_OK)
        return;
    size_t length = verified_length(index->text, count), lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += index->text[i] == '\n';
    index->entries = an_calloc(lines + 1, sizeof *index->entries);
    if (!index->entries)
        return;
    char *at = (char *)index->text, *end = at + length;
    while (at < end) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        *newline = 0;
        if (parse_line(at, &index->entries[index->n]))
            index->n++;
        at = newline + 1;
    }
    qsort(index->entries, (size_t)index->n, sizeof *index->entries, by_path);
}

/* ── writing ──────────────────────────────────────────────────────────────────── */

static bool remembered(const entry *e)
{
    return e->path && !strchr(e->path, '\n');
}

/* All lines as one block of memory (an_free); NULL after AN_ENOMEM. */
static char *format_lines(const entry *entries, int64_t n, size_t *count)
{
    enum { NUMBERS = 3 * 21 + AN_SHA256_HEX + 13 + 2 };
    size_t room = LAST + 1, used = 0;
    for (int64_t i = 0; i < n; i++)
        if (remembered(&entries[i]))
            room += strlen(entries[i].path) + NUMBERS;
    char *text = an_alloc(room);
    if (!text)
        return NULL;
    for (int64_t i = 0; i < n; i++) {
        const entry *e = &entries[i];
        if (remembered(e))
            used += (size_t)snprintf(
                text + used, room - used, "%" PRId64 " %" PRId64 " %" PRId64 " %s p%d %s\n",
                e->stamp.size, e->stamp.mtime, e->stamp.ctime, e->hash, e->pixel_version, e->path);
    }
    last_line((const uint8_t *)text, used, text + used);
    *count = used + LAST;
    return text;
}

static void index_write(const index_file *index, const entry *entries, int64_t n)
{
    size_t count;
    char *text = format_lines(entries, n, &count);
    if (!text || an_replace_with(index->path, text, count, AN_CACHE) != AN_OK)
        an_log(AN_WARN, "image hashes are not cached: %s", an_err_message());
    an_free(text);
}

/* ── hashing ──────────────────────────────────────────────────────────────────── */

static an_code hash_content(entry *e, const char *path)
{
    uint8_t *bytes;
    size_t count;
    an_code code = an_file_read(path, AN_IMAGE_FILE, &bytes, &count);
    if (code != AN_OK)
        return code;
    an_sha256_buffer(bytes, count, e->hash);
    e->pixel_version = an_pixel_version(bytes, count);
    an_free(bytes);
    return AN_OK;
}

/* Fills e for one item. *read: the file had to be read. */
static an_code hash_one(const an_item *item, const index_file *index, entry *e, bool *read)
{
    *e = (entry){.path = item->path, .stamp = item->stamp}; /* may be set by source_rows.c */
    an_code code = an_stop_check();
    if (code == AN_OK && !e->stamp.ctime)
        code = an_path_stamp(item->path, &e->stamp);
    if (code != AN_OK)
        return code;
    const entry *known =
        index->n ? bsearch(e, index->entries, (size_t)index->n, sizeof *e, by_path) : NULL;
    *read = !known || !an_stamp_equal(&known->stamp, &e->stamp);
    if (!*read) {
        memcpy(e->hash, known->hash, sizeof e->hash);
        e->pixel_version = known->pixel_version;
        return AN_OK;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t latest = e->stamp.ctime > e->stamp.mtime ? e->stamp.ctime : e->stamp.mtime;
    if ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - latest < SETTLED)
        e->path = NULL;
    return hash_content(e, item->path);
}

typedef struct repetition {
    const an_listing *list;
    const index_file *index;
    an_damage_policy damage;
} repetition;

static an_code decode_one(const an_item *item, an_damage_policy damage)
{
    an_image image = {0};
    an_code code = an_stop_check();
    if (code == AN_OK)
        code = an_image_load(item->path, damage, &image);
    an_image_free(&image);
    return code;
}

static an_code fail_again(void *context, int64_t i)
{
    const repetition *r = context;
    entry e;
    bool read;
    an_code code = hash_one(&r->list->items[i], r->index, &e, &read);
    return code == AN_OK ? decode_one(&r->list->items[i], r->damage) : code;
}

/* If some files cannot be read, the others are decoded, so that one report lists every unusable
 * file. Returns its failure. */
static an_code report_unusable(const an_listing *list, const index_file *index,
                               an_damage_policy damage, bool *failed)
{
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t i = 0; i < list->n; i++)
        failed[i] =
            failed[i] || (list->items[i].path && decode_one(&list->items[i], damage) != AN_OK);
    repetition r = {list, index, damage};
    an_code stopped = an_stop_check(); /* files that were not read are not broken */
    return stopped == AN_OK ? an_broken_files(failed, list->n, fail_again, &r) : stopped;
}

/* Hashes every file, whatever fails, so that all failures are in one report. */
static an_code hash_each(const an_listing *list, const index_file *index, an_damage_policy damage,
                         entry *entries, bool *failed, int64_t *reads)
{
    int64_t failures = 0, count = 0;
#pragma omp parallel for schedule(dynamic, 16) reduction(+ : failures, count)
    for (int64_t i = 0; i < list->n; i++) {
        bool read = false;
        failed[i] =
            list->items[i].path && hash_one(&list->items[i], index, &entries[i], &read) != AN_OK;
        failures += failed[i], count += read;
    }
    *reads = count;
    an_code stopped = an_stop_check();
    if (stopped != AN_OK)
        return stopped;
    return failures > 0 ? report_unusable(list, index, damage, failed) : AN_OK;
}

static an_code hash_all(an_listing *list, const index_file *index, an_damage_policy damage,
                        entry *entries, bool *changed)
{
    int64_t reads = 0;
    bool *failed = an_calloc((size_t)list->n, sizeof *failed);
    an_code code = failed ? hash_each(list, index, damage, entries, failed, &reads) : AN_ENOMEM;
    an_free(failed);
    for (int64_t i = 0; code == AN_OK && i < list->n; i++) {
        an_item *item = &list->items[i];
        if (!item->path)
            continue;
        memcpy(item->hash, entries[i].hash, AN_SHA256_HEX);
        item->pixel_version = entries[i].pixel_version;
        item->stamp = entries[i].path ? entries[i].stamp : (an_stamp){0};
    }
    *changed = reads > 0 || index->n != list->n;
    return code;
}

an_code an_hash_files(an_listing *list, const char *cache, an_damage_policy damage)
{
    AN_ASSERT(list->sealed && cache);
    index_file index = {0};
    char hex[AN_SHA256_HEX], name[40];
    bool keep = *cache && an_cache_folder_open(cache) == AN_OK, changed;
    an_sha256_buffer(list->source, strlen(list->source), hex);
    snprintf(name, sizeof name, "%.16s.index", hex);
    if (keep && an_path_join(index.path, cache, name) == AN_OK)
        index_read(&index);
    entry *entries = an_calloc((size_t)list->n, sizeof *entries);
    an_code code = entries ? hash_all(list, &index, damage, entries, &changed) : AN_ENOMEM;
    if (code == AN_OK && keep && changed)
        index_write(&index, entries, list->n);
    an_free(entries);
    an_free(index.entries);
    an_free(index.text);
    return code;
}
