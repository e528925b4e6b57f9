/* scratch: a temporary folder for a test, files in it, and small pictures as PNG, BMP. */
#ifndef AN_TESTS_SCRATCH_H
#define AN_TESTS_SCRATCH_H

#include <dirent.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

static char scratch_root[64];

static int scratch_setup(void **state)
{
    (void)state;
    strcpy(scratch_root, "/tmp/aniso-test-XXXXXX");
    return mkdtemp(scratch_root) ? 0 : -1;
}

static int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static int scratch_teardown(void **state)
{
    (void)state;
    return nftw(scratch_root, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of `name` below the folder; creates its parent folders. Valid for the next seven calls.
 */
static const char *scratch(const char *name)
{
    static char paths[8][256];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, 256, "%s/%s", scratch_root, name);
    for (char *slash = path + strlen(scratch_root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    return path;
}

static inline const char *scratch_file(const char *name, const void *bytes, size_t count)
{
    const char *path = scratch(name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file))
        abort();
    return path;
}

/* Counts the names in the folder that end in `end`; `last` [opt] receives the path of one. */
static inline int files_ending(const char *folder, const char *end, char last[256])
{
    int n = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        size_t a = strlen(e->d_name), b = strlen(end);
        if (a < b || strcmp(e->d_name + a - b, end) != 0)
            continue;
        n++;
        if (last)
            snprintf(last, 256, "%.70s/%.180s", folder, e->d_name);
    }
    if (dir)
        closedir(dir);
    return n;
}

/* Writes the picture (h, w, 3) in the format of the name's extension. */
static inline const char *scratch_image(const char *name, const uint8_t *rgb, int h, int w)
{
    const char *path = scratch(name), *dot = strrchr(name, '.');
    int done = strcmp(dot, ".png") == 0 ? stbi_write_png(path, w, h, 3, rgb, w * 3)
                                        : stbi_write_bmp(path, w, h, 3, rgb);
    if (!done)
        abort();
    return path;
}

/* A picture of one colour. */
static inline const char *scratch_colour(const char *name, int h, int w, uint8_t r, uint8_t g,
                                         uint8_t b)
{
    uint8_t *rgb = malloc((size_t)h * (size_t)w * 3);
    if (!rgb)
        abort();
    for (int i = 0; i < h * w; i++)
        rgb[3 * i] = r, rgb[3 * i + 1] = g, rgb[3 * i + 2] = b;
    const char *path = scratch_image(name, rgb, h, w);
    free(rgb);
    return path;
}

#endif
