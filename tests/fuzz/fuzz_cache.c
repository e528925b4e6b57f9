/* fuzz_cache: any bytes as the pixel cache or the index of hashes of two images, in a cache folder
 * of this user. Whatever the file holds, the images are read: from it where it is valid, else from
 * their own files. The first byte selects the file and which checksums the harness makes valid.
 * A pixel cache is 72 bytes of header, then pixels; in an index '@' is the folder of the images and
 * '$' the size and times of the first.
 *
 * Covers: engine/data/pixel_cache.c engine/data/hash_cache.c engine/data/cache_folder.c
 *   engine/io/checksum.c engine/io/map_guard.c */
#include <dirent.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/memory/mem.h"
#include "data/hash_cache.h"
#include "data/pixel_cache.h"
#include "io/checksum.h"
#include "tests/fuzz/fuzz.h"

enum { HEADER = 72, PIXELS_AT = 4096, SUM_AT = 56, OWN_AT = 64, SIDE = 2, IMAGES = 2, BMP = 58 };
enum { IMAGE_BYTES = SIDE * SIDE * 3, ROOM = 1 << 16 };

static char images[300], cache[300], first_image[320], pack[400], list_of_hashes[400];

static void write_image(const char *name, uint8_t grey)
{
    char path[400];
    uint8_t bmp[BMP] = {'B', 'M', BMP, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0,  40,
                        0,   0,   0,   1, 0, 0, 0, 1, 0, 0, 0,  1, 0, 24, 0};
    memset(bmp + 54, grey, 3);
    snprintf(path, sizeof path, "%s/%s", images, name);
    fuzz_write(path, bmp, BMP);
}

static void list_images(an_listing *list)
{
    fuzz_require(an_listing_begin(list, images) == AN_OK, "a listing");
    for (int i = 0; i < IMAGES; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/%d.bmp", images, i);
        const an_item item = {
            .key = path, .path = path, .class_name = i ? "b" : "a", .part = AN_UNASSIGNED};
        fuzz_require(an_listing_add(list, &item) == AN_OK, "an item");
    }
    fuzz_require(an_listing_seal(list) == AN_OK, "a sealed listing");
}

/* Reads both images; in_folder: the pixel cache is a file. An index from elsewhere may hold any
 * hash, and with it lead to any number of other pixel caches. */
static void read_images(bool in_folder)
{
    an_listing list;
    an_pixel_cache pc;
    unsigned sum = 0;
    list_images(&list);
    fuzz_require(an_hash_files(&list, cache, AN_DAMAGED_REFUSE) == AN_OK, "hashes");
    for (int i = 0; i < IMAGES; i++)
        fuzz_require(strlen(list.items[i].hash) == 64, "a hash of 64 digits");
    fuzz_require(an_pixel_cache_open(&pc, &list, SIDE, SIDE, AN_STRETCH, AN_DAMAGED_REFUSE,
                                     in_folder ? cache : "") == AN_OK,
                 "pixels");
    for (int i = 0; i < IMAGES * IMAGE_BYTES; i++)
        sum += pc.pixels[i];
    fuzz_require(sum <= 255 * IMAGES * IMAGE_BYTES, "pixels of eight bits");
    an_pixel_cache_close(&pc);
    an_listing_free(&list);
}

/* The paths of the two files that the first reading wrote. */
static void find_files(void)
{
    DIR *folder = opendir(cache);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        if (strstr(e->d_name, ".pack"))
            snprintf(pack, sizeof pack, "%.299s/%.80s", cache, e->d_name);
        if (strstr(e->d_name, ".index"))
            snprintf(list_of_hashes, sizeof list_of_hashes, "%.299s/%.80s", cache, e->d_name);
    }
    fuzz_require(folder && *pack && *list_of_hashes && closedir(folder) == 0, "two files");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    const char *root = fuzz_folder();
    an_log_level(AN_ERROR);
    snprintf(images, sizeof images, "%s/images", root);
    snprintf(cache, sizeof cache, "%s/cache", root);
    fuzz_require(mkdir(images, 0700) == 0, "a folder that can be made");
    write_image("0.bmp", 9);
    write_image("1.bmp", 200);
    snprintf(first_image, sizeof first_image, "%s/0.bmp", images);
    read_images(true);
    find_files();
    return 0;
}

/* Sets the checksums of a file of one block as pixel_cache.h defines them. */
static void make_sums_valid(uint8_t *file, size_t count, bool of_pixels)
{
    uint64_t sum = an_checksum(file + PIXELS_AT, count - PIXELS_AT);
    sum = an_checksum(&sum, sizeof sum);
    if (of_pixels)
        memcpy(file + SUM_AT, &sum, sizeof sum);
    sum = an_checksum(file, OWN_AT);
    memcpy(file + OWN_AT, &sum, sizeof sum);
}

static void write_pack(uint8_t how, const uint8_t *bytes, size_t count)
{
    static uint8_t file[PIXELS_AT + ROOM];
    size_t size = count;
    memset(file, 0, sizeof file);
    memcpy(file, bytes, count < HEADER ? count : HEADER);
    if (count >= HEADER) {
        size = PIXELS_AT + count - HEADER;
        memcpy(file + PIXELS_AT, bytes + HEADER, count - HEADER);
        if (how & 2)
            make_sums_valid(file, size, how & 4);
    }
    fuzz_write(pack, file, size);
}

static void write_index(uint8_t how, const uint8_t *bytes, size_t count)
{
    static char text[ROOM];
    struct stat s;
    size_t used = 0;
    fuzz_require(stat(first_image, &s) == 0, "an image");
    for (size_t i = 0; i < count && used < ROOM - 600; i++) {
        if (bytes[i] == '@')
            used += (size_t)snprintf(text + used, 400, "%s", images);
        else if (bytes[i] == '$')
            used += (size_t)snprintf(text + used, 100, "%" PRId64 " %" PRId64 " %" PRId64,
                                     (int64_t)s.st_size,
                                     (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec,
                                     (int64_t)s.st_ctim.tv_sec * 1000000000 + s.st_ctim.tv_nsec);
        else
            text[used++] = (char)bytes[i];
    }
    if (how & 2)
        used += (size_t)snprintf(text + used, 20, "%016" PRIx64 "\n", an_checksum(text, used));
    fuzz_write(list_of_hashes, text, used);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count == 0 || count > ROOM)
        return 0;
    int64_t live = an_mem_live();
    if (*bytes & 1)
        write_pack(*bytes, bytes + 1, count - 1);
    else
        write_index(*bytes, bytes + 1, count - 1);
    read_images(*bytes & 1);
    unlink(*bytes & 1 ? pack : list_of_hashes);
    fuzz_require(an_mem_live() == live, "released memory");
    return 0;
}
