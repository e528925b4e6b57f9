/* image_files: see image_files.h. */
#include "data/image_files.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/stop.h"
#include "data/augment.h"
#include "data/image.h"

static an_code read_one(const char *path, const an_input_form *form, uint8_t *bytes, float *out)
{
    an_image image;
    an_code code = an_image_load(path, form->damage, &image);
    if (code != AN_OK)
        return code;
    code =
        an_resize(image.pixels, image.height, image.width, bytes, form->H, form->W, form->aspect);
    an_image_free(&image);
    if (code == AN_OK)
        an_augment_image(NULL, (an_address){0}, bytes, form->H, form->W, form->mean, form->std,
                         out);
    return code;
}

/* Where the reason is missing, there was no memory even for its text. */
static int read_or_explain(const char *path, const an_input_form *form, float *out, char **why)
{
    size_t size = (size_t)form->H * (size_t)form->W * 3;
    uint8_t *bytes = an_alloc(size);
    an_code code = bytes ? an_stop_check() : AN_ENOMEM;
    if (code == AN_OK)
        code = read_one(path, form, bytes, out);
    an_free(bytes);
    *why = NULL;
    if (code == AN_OK)
        return 0;
    memset(out, 0, size * sizeof *out);
    if (code != AN_ENOMEM)
        *why = an_strdup(an_err_message());
    return *why == NULL;
}

an_code an_image_files_read(const char *const *paths, int64_t n, const an_input_form *form,
                            float *images, char **why)
{
    AN_ASSERT(n >= 0 && form->H >= 1 && form->W >= 1);
    int64_t size = (int64_t)form->H * form->W * 3;
    int lost = 0;
#pragma omp parallel for schedule(dynamic) reduction(+ : lost)
    for (int64_t i = 0; i < n; i++)
        lost += read_or_explain(paths[i], form, images + i * size, why + i);
    if (lost == 0 && !an_stop_requested())
        return AN_OK;
    for (int64_t i = 0; i < n; i++) {
        an_free(why[i]);
        why[i] = NULL;
    }
    if (an_stop_requested())
        return an_stop_check();
    return an_fail(AN_ENOMEM, "no memory to read %lld images of %dx%d", (long long)n, form->W,
                   form->H);
}
