/* pixel_cache: see pixel_cache.h. Building decodes blocks of about 8 MiB in parallel and writes
 * each block before the next; opening reads the file once for its checksum, blocks in parallel. */
#include "data/pixel_cache.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

#define HEADER 4096
#define BLOCK_BYTES ((int64_t)8 << 20)
#define FORMAT "aniso pack 3" /* changes with the decoders too */
#define ANNOUNCED 2000        /* images from which on decoding is announced: it takes a second */

/* The first bytes of the file; the rest of its 4096 are zero. */
typedef struct header {
    char format[16];
    int64_t n, H, W, block; /* block: images per block                               */
    int64_t damaged;        /* images that were accepted although damaged            */
    uint64_t sum;           /* over the sums of the blocks                           */
    uint64_t own;           /* over the fields above                                 */
} header;

typedef struct builder {
    const an_listing *list;
    an_aspect aspect;
    an_damage_policy damage;
    header head;
    int64_t image;  /* bytes of one image */
    uint64_t *sums; /* of the blocks */
    bool *failed;   /* (n) images that cannot be decoded */
    bool bad_image; /* one of them is set: the failure is an image's, not the cache's */
} builder;

/* ── decoding ─────────────────────────────────────────────────────────────────── */

/* True if the bytes just read are those that were hashed: by the file's stamp or, if that was too
 * recent to rely on, by hashing again. */
static bool unchanged(const an_item *item, const uint8_t *bytes, size_t count)
{
    an_stamp now;
    char hex[AN_SHA256_HEX];
    if (item->stamp.ctime && an_path_stamp(item->path, &now) == AN_OK &&
        an_stamp_equal(&now, &item->stamp))
        return true;
    an_sha256_buffer(bytes, count, hex);
    return strcmp(hex, item->hash) == 0;
}

/* *damaged: the image was accepted although damaged. */
static an_code decode(const builder *b, int64_t i, uint8_t *to, bool *damaged)
{
    const an_item *item = &b->list->items[i];
    uint8_t *bytes;
    size_t count;
    an_image image = {0};
    an_code code = an_stop_check();
    if (code == AN_OK)
        code = an_file_read(item->path, AN_IMAGE_FILE, &bytes, &count);
    if (code != AN_OK)
        return code;
    if (!unchanged(item, bytes, count))
        code = an_fail(AN_EIO, "%s: changed while the data set was being read; start again",
                       item->path);
    if (code == AN_OK)
        code = an_image_decode(bytes, count, item->path, b->damage, &image);
    if (code == AN_OK)
        code = an_resize(image.pixels, image.height, image.width, to, (int)b->head.H,
                         (int)b->head.W, b->aspect);
    *damaged = image.damaged;
    an_image_free(&image);
    an_free(bytes);
    return code;
}

/* Decodes images lo … hi−1 to `to`; b->failed marks those that cannot be decoded. AN_ESTOPPED: some
 * are not decoded. */
static an_code decode_range(builder *b, int64_t lo, int64_t hi, uint8_t *to)
{
    int64_t damaged = 0;
    bool bad_image = b->bad_image;
#pragma omp parallel for schedule(dynamic, 4) reduction(+ : damaged) reduction(|| : bad_image)
    for (int64_t i = lo; i < hi; i++) {
        bool accepted = false;
        b->failed[i] = decode(b, i, to + (i - lo) * b->image, &accepted) != AN_OK;
        bad_image = bad_image || b->failed[i];
        damaged += accepted;
    }
    b->head.damaged += damaged;
    b->bad_image = bad_image;
    return an_stop_check();
}

typedef struct repetition {
    const builder *b;
    uint8_t *image;
} repetition;

static an_code decode_again(void *context, int64_t i)
{
    const repetition *r = context;
    bool damaged;
    return decode(r->b, i, r->image, &damaged);
}

/* The failure that reports all broken images. */
static an_code report_broken(const builder *b)
{
    repetition r = {.b = b, .image = an_alloc((size_t)b->image)};
    if (!r.image)
        return AN_ENOMEM;
    an_code code = an_broken_files(b->failed, b->head.n, decode_again, &r);
    an_free(r.image);
    return code;
}

/* ── checksums ────────────────────────────────────────────────────────────────── */

static int64_t blocks_of(const header *head)
{
    return (head->n + head->block - 1) / head->block;
}

static uint64_t own_sum(const header *head)
{
    return an_checksum(head, offsetof(header, own));
}

static uint64_t sum_of_sums(const header *head, const uint64_t *sums)
{
    return an_checksum(sums, (size_t)blocks_of(head) * sizeof *sums);
}

/* True if `pixels` have the checksum in `head`. */
static bool verify(const header *head, const uint8_t *pixels)
{
    int64_t blocks = blocks_of(head), image = head->H * head->W * 3;
    uint64_t *sums = an_alloc((size_t)blocks * sizeof *sums);
    if (!sums)
        return false;
#pragma omp parallel for schedule(static)
    for (int64_t k = 0; k < blocks; k++) {
        if (an_stop_requested())
            continue;
        int64_t lo = k * head->block, hi = lo + head->block < head->n ? lo + head->block : head->n;
        sums[k] = an_checksum(pixels + lo * image, (size_t)((hi - lo) * image));
    }
    bool same = !an_stop_requested() && sum_of_sums(head, sums) == head->sum;
    an_free(sums);
    return same;
}

/* ── the file ─────────────────────────────────────────────────────────────────── */

/* The header is written last, over zeros that reserve its place, because it contains the
 * checksum. */
static an_code write_header(builder *b, an_replace *file)
{
    b->head.sum = sum_of_sums(&b->head, b->sums);
    b->head.own = own_sum(&b->head);
    an_code code = an_replace_rewind(file);
    return code == AN_OK ? an_replace_write(file, &b->head, sizeof b->head) : code;
}

static an_code write_blocks(builder *b, an_replace *file)
{
    static const char zeros[HEADER];
    uint8_t *block = an_alloc((size_t)(b->head.block * b->image));
    if (!block)
        return AN_ENOMEM;
    an_code code = an_replace_write(file, zeros, sizeof zeros);
    for (int64_t lo = 0; lo < b->head.n && code == AN_OK; lo += b->head.block) {
        int64_t hi = lo + b->head.block < b->head.n ? lo + b->head.block : b->head.n;
        code = decode_range(b, lo, hi, block);
        if (code != AN_OK || b->bad_image)
            continue; /* the rest is only checked for more bad images */
        b->sums[lo / b->head.block] = an_checksum(block, (size_t)((hi - lo) * b->image));
        code = an_replace_write(file, block, (size_t)((hi - lo) * b->image));
    }
    an_free(block);
    if (code == AN_OK && b->bad_image)
        return report_broken(b);
    return code == AN_OK ? write_header(b, file) : code;
}

static an_code build_file(builder *b, const char *path)
{
    an_replace file;
    b->sums = an_alloc((size_t)blocks_of(&b->head) * sizeof *b->sums);
    if (!b->sums)
        return AN_ENOMEM;
    an_code code = an_replace_begin(&file, path, AN_CACHE);
    if (code == AN_OK) {
        code = write_blocks(b, &file);
        if (code == AN_OK)
            code = an_replace_commit(&file, NULL);
        else
            an_replace_abort(&file);
    }
    an_free(b->sums);
    return code;
}

static an_code build_memory(builder *b, an_pixel_cache *pc)
{
    uint8_t *pixels = an_alloc((size_t)(b->head.n * b->image));
    if (!pixels)
        return AN_ENOMEM;
    an_code code = decode_range(b, 0, b->head.n, pixels);
    if (code == AN_OK && b->bad_image)
        code = report_broken(b);
    if (code != AN_OK)
        return an_free(pixels), code;
    an_pixel_cache_adopt(pc, pixels);
    pc->damaged = b->head.damaged;
    return AN_OK;
}

/* Why the mapped file is not the one that `expected` describes; NULL if it is. */
static const char *fault(const header *expected, const void *map, size_t size)
{
    const header *head = map;
    if (size < HEADER || strncmp(head->format, FORMAT, sizeof head->format) != 0)
        return "not a pixel cache";
    if (own_sum(head) != head->own)
        return "damaged header";
    if (head->n != expected->n || head->H != expected->H || head->W != expected->W ||
        head->block != expected->block)
        return "the content of another pixel cache";
    if ((int64_t)size != HEADER + head->n * head->H * head->W * 3)
        return "truncated";
    return verify(head, (const uint8_t *)map + HEADER) ? NULL : "wrong checksum";
}

/* Maps the pixel cache at `path`. false: there is none, or a damaged one (after a warning). */
static bool map_file(an_pixel_cache *pc, const builder *b, const char *path)
{
    static const char advice[] =
        "aniso resume decodes the images again and continues from the last checkpoint";
    const void *map;
    size_t size;
    int file;
    if (an_path_kind_at(path) != AN_FILE)
        return false;
    if (an_path_is_link(path) || !an_path_is_private(path)) {
        an_log(AN_WARN, "%s: not a file that only you may write; building it again", path);
        an_path_remove(path);
        return false;
    }
    an_code code = an_file_open(path, AN_FILE_READ, &file);
    if (code == AN_OK) {
        code = an_file_map(file, path, advice, &map, &size);
        an_file_close(file);
    }
    if (code != AN_OK) {
        an_log(AN_WARN, "%s; building it again", an_err_message());
        return false;
    }
    const char *why = fault(&b->head, map, size);
    if (!why) {
        *pc = (an_pixel_cache){.pixels = (const uint8_t *)map + HEADER,
                               .map = map,
                               .mapped = size,
                               .damaged = ((const header *)map)->damaged};
        an_path_touch(path);
        return true;
    }
    an_file_unmap(map, size);
    if (!an_stop_requested()) /* else only a part was checksummed */
        an_log(AN_WARN, "%s: %s; building it again", path, why);
    return false;
}

/* ── opening ──────────────────────────────────────────────────────────────────── */

static void file_name(const builder *b, char name[AN_SHA256_HEX + 8])
{
    char text[64];
    an_sha256 hash;
    an_sha256_init(&hash);
    int count = snprintf(text, sizeof text, FORMAT " %d %d %d %s\n", (int)b->head.H, (int)b->head.W,
                         (int)b->aspect, an_damage_policy_names[b->damage]);
    an_sha256_update(&hash, text, (size_t)count);
    for (int64_t i = 0; i < b->list->n; i++)
        an_sha256_update(&hash, b->list->items[i].hash, 64);
    an_sha256_hex(&hash, name);
    strcpy(name + 64, ".pack");
}

static void announce(const builder *b)
{
    an_log(b->head.n >= ANNOUNCED ? AN_INFO : AN_DEBUG, "decoding %lld images to %dx%d",
           (long long)b->head.n, (int)b->head.W, (int)b->head.H);
}

static an_code open_cached(an_pixel_cache *pc, builder *b, const char *cache)
{
    char path[AN_PATH], name[AN_SHA256_HEX + 8];
    an_code code = an_cache_folder_open(cache);
    file_name(b, name);
    if (code == AN_OK)
        code = an_path_join(path, cache, name);
    if (code != AN_OK || map_file(pc, b, path))
        return code;
    announce(b);
    code = build_file(b, path);
    if (code == AN_OK)
        an_cache_trim(cache, name, an_cache_limit());
    if (code != AN_OK || map_file(pc, b, path))
        return code;
    return an_fail(AN_EIO, "%s: was written but cannot be read back", path);
}

static an_code open_anywhere(an_pixel_cache *pc, builder *b, const char *cache)
{
    if (*cache) {
        an_code code = open_cached(pc, b, cache);
        if (code == AN_OK || code == AN_ESTOPPED || b->bad_image)
            return code;
        an_log(AN_WARN, "decoded images are not cached on disk and stay in memory: %s",
               an_err_message());
    }
    announce(b);
    b->head.damaged = 0;
    return build_memory(b, pc);
}

an_code an_pixel_cache_open(an_pixel_cache *pc, const an_listing *list, int H, int W,
                            an_aspect aspect, an_damage_policy damage, const char *cache)
{
    AN_ASSERT(list->sealed && cache);
    AN_ASSERT(H >= 1 && W >= 1);
    for (int64_t i = 0; i < list->n; i++)
        AN_ASSERT_SLOW(list->items[i].path && *list->items[i].hash);
    builder b = {.list = list, .aspect = aspect, .damage = damage, .image = (int64_t)H * W * 3};
    memcpy(b.head.format, FORMAT, sizeof FORMAT);
    b.head.n = list->n, b.head.H = H, b.head.W = W;
    b.head.block = BLOCK_BYTES / b.image > 64 ? BLOCK_BYTES / b.image : 64;
    *pc = (an_pixel_cache){0};
    b.failed = an_calloc((size_t)list->n, sizeof *b.failed);
    an_code code = b.failed ? open_anywhere(pc, &b, cache) : AN_ENOMEM;
    an_free(b.failed);
    return code;
}

void an_pixel_cache_adopt(an_pixel_cache *pc, uint8_t *pixels)
{
    AN_ASSERT(pixels);
    *pc = (an_pixel_cache){.pixels = pixels, .memory = pixels};
}

void an_pixel_cache_close(an_pixel_cache *pc)
{
    if (pc->map)
        an_file_unmap(pc->map, pc->mapped);
    an_free(pc->memory);
    *pc = (an_pixel_cache){0};
}
