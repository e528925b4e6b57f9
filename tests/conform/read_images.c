/* read_images [accept]: decodes the image files whose paths are the lines of the standard input,
 * for tests/conform. Per file, on the standard output: "ok HEIGHT WIDTH DAMAGED" and height · width
 * · 3 bytes of pixels, or "refused MESSAGE". With `accept`, damaged JPEGs are accepted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "data/image.h"
#include "data/image_probe.h"
#include "io/file.h"

/* True if the probe, which `aniso data info` reads, has the decoded image's size. */
static bool probe_agrees(const char *path, const an_image *image)
{
    uint8_t *bytes;
    size_t count;
    if (an_file_read(path, AN_IMAGE_FILE, &bytes, &count) != AN_OK)
        return false;
    const an_image_probe probe = an_probe_image(bytes, count);
    an_free(bytes);
    return probe.width == image->width && probe.height == image->height;
}

static void write_pixels(const an_image *image)
{
    const size_t pixels = (size_t)image->width * (size_t)image->height;
    printf("ok %d %d %d\n", image->height, image->width, image->damaged);
    for (size_t i = 0; i < pixels; i++)
        fwrite(image->pixels + 4 * i, 1, 3, stdout);
}

int main(int argc, char **argv)
{
    const bool accept = argc > 1 && strcmp(argv[1], "accept") == 0;
    char path[4096];
    while (fgets(path, sizeof path, stdin)) {
        an_image image;
        path[strcspn(path, "\n")] = '\0';
        if (an_image_load(path, accept ? AN_DAMAGED_ACCEPT : AN_DAMAGED_REFUSE, &image) != AN_OK) {
            printf("refused %s\n", an_err_message());
            continue;
        }
        if (probe_agrees(path, &image))
            write_pixels(&image);
        else
            printf("refused %s: the probe has another size than the image\n", path);
        an_image_free(&image);
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
