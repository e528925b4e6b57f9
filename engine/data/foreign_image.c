/* foreign_image: see foreign_image.h. The signatures are those of the formats' specifications. */
#include "data/foreign_image.h"

#include <string.h>

typedef struct signature {
    size_t at; /* byte of the file */
    const char *text;
    size_t count;
    const char *kind, *way;
} signature;

#define SIGNATURE(at, text, kind, way)                                                             \
    {                                                                                              \
        at, text, sizeof text - 1, kind, way                                                       \
    }
#define CONVERT "convert it"
#define FETCH "fetch the image again"

static const signature signatures[] = {
    SIGNATURE(0, "GIF87a", "a GIF image", CONVERT),
    SIGNATURE(0, "GIF89a", "a GIF image", CONVERT),
    SIGNATURE(8, "WEBP", "a WebP image", CONVERT),
    SIGNATURE(0, "II*\0", "a TIFF image", CONVERT),
    SIGNATURE(0, "MM\0*", "a TIFF image", CONVERT),
    SIGNATURE(0, "II+\0", "a TIFF image", CONVERT),
    SIGNATURE(0, "MM\0+", "a TIFF image", CONVERT),
    SIGNATURE(4, "ftypavif", "an AVIF image", CONVERT),
    SIGNATURE(4, "ftypheic", "a HEIC image", CONVERT),
    SIGNATURE(4, "ftypheix", "a HEIC image", CONVERT),
    SIGNATURE(4, "ftypmif1", "a HEIF image", CONVERT),
    SIGNATURE(0, "\0\0\0\014jP  ", "a JPEG 2000 image", CONVERT),
    SIGNATURE(0, "\xFF\x4F\xFF\x51", "a JPEG 2000 image", CONVERT),
    SIGNATURE(0, "\0\0\0\014JXL ", "a JPEG XL image", CONVERT),
    SIGNATURE(0, "\xFF\x0A", "a JPEG XL image", CONVERT),
    SIGNATURE(0, "8BPS", "a Photoshop document", CONVERT),
    SIGNATURE(0, "\0\0\1\0", "an icon (ICO)", CONVERT),
    SIGNATURE(128, "DICM", "a DICOM file", CONVERT),
    SIGNATURE(0, "P5", "a PGM image", CONVERT),
    SIGNATURE(0, "P6", "a PPM image", CONVERT),
    SIGNATURE(0, "%PDF", "a PDF document", CONVERT),
    SIGNATURE(0, "PK\3\4", "a zip archive", "unpack it"),
    SIGNATURE(0, "\x1F\x8B", "a gzip file", "unpack it"),
    SIGNATURE(0, "\0\5\x16\7", "an AppleDouble file without an image", "remove it"),
    SIGNATURE(0, "version https://git-lfs", "a Git LFS pointer without the image",
              "git lfs pull fetches it"),
    SIGNATURE(0, "<svg", "an SVG drawing", CONVERT),
    SIGNATURE(0, "<?xml", "an XML document", FETCH),
    SIGNATURE(0, "<!DOCTYPE", "a web page", FETCH),
    SIGNATURE(0, "<!doctype", "a web page", FETCH),
    SIGNATURE(0, "<html", "a web page", FETCH),
    SIGNATURE(0, "<HTML", "a web page", FETCH),
};

const char *an_foreign_image(const uint8_t *bytes, size_t count, const char **way)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (count >= s->at + s->count && memcmp(bytes + s->at, s->text, s->count) == 0) {
            *way = s->way;
            return s->kind;
        }
    }
    return NULL;
}
