/* survey: see survey.h. Files are read in parallel. */
#include "data/survey.h"

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/stop.h"
#include "data/decoded_image.h"
#include "data/image.h"
#include "io/file.h"

#define START 65536 /* first bytes of a file, expected to contain the image's size */

static bool is_grey(const uint8_t *p, int64_t count)
{
    for (int64_t i = 0; i < count; i++, p += 3) {
        int low = p[0] < p[1] ? p[0] : p[1], high = p[0] < p[1] ? p[1] : p[0];
        low = p[2] < low ? p[2] : low, high = p[2] > high ? p[2] : high;
        if (high - low > AN_GREY_LEVELS)
            return false;
    }
    return true;
}

/* The probe of the first bytes of a file. */
static an_code probe_start(const char *path, an_image_probe *probe)
{
    int file;
    an_code code = an_file_open(path, AN_FILE_READ, &file);
    if (code != AN_OK)
        return code;
    uint8_t *bytes = an_alloc(START);
    size_t count = 0, got = 1;
    code = bytes ? AN_OK : AN_ENOMEM;
    while (code == AN_OK && got > 0 && count < START) {
        code = an_file_read_next(file, bytes + count, START - count, &got, path);
        count += code == AN_OK ? got : 0;
    }
    if (code == AN_OK)
        *probe = an_probe_image(bytes, count);
    an_free(bytes);
    an_file_close(file);
    return code;
}

/* A file may have been replaced since its image was read, by one whose header states any size: the
 * size is then unknown. */
static an_code probe_file(const char *path, an_image_facts *facts)
{
    an_image_probe probe;
    an_code code = probe_start(path, &probe);
    if (code == AN_OK && !probe.complete) {
        uint8_t *bytes;
        size_t count;
        code = an_file_read(path, AN_IMAGE_FILE, &bytes, &count);
        if (code == AN_OK) {
            probe = an_probe_image(bytes, count);
            an_free(bytes);
        }
    }
    if (code == AN_OK)
        facts->format = probe.format;
    if (code == AN_OK && probe.width <= AN_IMAGE_SIDE && probe.height <= AN_IMAGE_SIDE)
        facts->width = probe.width, facts->height = probe.height;
    return code;
}

an_code an_survey(const an_listing *list, const uint8_t *pixels, int H, int W,
                  an_image_facts *facts)
{
    AN_ASSERT(list->sealed && H >= 1 && W >= 1);
    int64_t failed = list->n, size = (int64_t)H * W;
#pragma omp parallel for schedule(dynamic, 16) reduction(min : failed)
    for (int64_t i = 0; i < list->n; i++) {
        const an_item *item = &list->items[i];
        facts[i] = (an_image_facts){0};
        if (item->part >= AN_PARTS || an_stop_requested())
            continue;
        facts[i].grey = is_grey(pixels + i * size * 3, size);
        if (item->path && probe_file(item->path, &facts[i]) != AN_OK)
            failed = i < failed ? i : failed;
    }
    if (failed == list->n || an_stop_requested())
        return an_stop_check();
    return probe_file(list->items[failed].path, &facts[failed]); /* messages are per thread */
}
