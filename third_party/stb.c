/* The one place where stb_image's code is compiled: three formats, no stdio, our memory.
 * GIF, PSD, TGA, PIC, PNM and HDR, where its known faults have been, are left out. */
#include "base/memory/mem.h"

#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS 16384              /* a second limit: image_probe.c checks first */
#define STBI_MALLOC(bytes) an_calloc(1, bytes) /* zeros: a scan may use a table never sent */
#define STBI_REALLOC(block, bytes) an_realloc(block, bytes)
#define STBI_FREE(block) an_free(block)
#define STB_IMAGE_IMPLEMENTATION

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#endif
#include <stb/stb_image.h>
