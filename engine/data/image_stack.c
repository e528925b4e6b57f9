/* image_stack: see image_stack.h. Images of a block are resized and hashed in parallel. */
#include "data/image_stack.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/mem.h"
#include "base/stop.h"

#define MOST_NUMBERED 1000 /* classes without names */

an_code an_image_stack_reserve(an_image_stack *stack, int64_t images)
{
    AN_ASSERT(images >= 0);
    if (stack->n + images > AN_STACK_IMAGES)
        return an_fail(AN_EFORMAT, "%s: %lld images, more than the limit of %d",
                       stack->list->source, (long long)(stack->n + images), AN_STACK_IMAGES);
    size_t bytes = (size_t)(stack->n + images) * (size_t)stack->H * (size_t)stack->W * 3;
    uint8_t *pixels = an_realloc(stack->pixels, bytes > 0 ? bytes : 1);
    if (!pixels)
        return AN_ENOMEM;
    stack->pixels = pixels, stack->room = stack->n + images;
    return AN_OK;
}

an_code an_raw_shape_check(const an_raw_shape *shape, const char *name)
{
    if (shape->height >= 1 && shape->height <= AN_STACK_SIDE && shape->width >= 1 &&
        shape->width <= AN_STACK_SIDE && (shape->channels == 1 || shape->channels == 3))
        return AN_OK;
    return an_fail(AN_EFORMAT,
                   "%s: images of %dx%d pixels with %d channels; 1 to %d pixels a side and 1 or 3 "
                   "channels are expected",
                   name, shape->width, shape->height, shape->channels, AN_STACK_SIDE);
}

int64_t an_raw_bytes(const an_raw_shape *shape)
{
    return (int64_t)shape->height * shape->width * shape->channels;
}

/* Lays the image out like a decoded picture, (height, width, 4), for an_resize(). */
static void spread(const an_raw_shape *shape, const uint8_t *from, uint8_t *to)
{
    int64_t pixels = (int64_t)shape->height * shape->width;
    int64_t pixel = shape->planar ? 1 : shape->channels, channel = shape->planar ? pixels : 1;
    if (shape->channels == 1)
        channel = 0; /* grey: the same value three times */
    for (int64_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++)
            to[4 * i + c] = from[i * pixel + c * channel];
}

static an_code place(const an_image_stack *stack, const an_raw_shape *shape, const uint8_t *image,
                     uint8_t *to)
{
    uint8_t *rgba = an_calloc((size_t)shape->height * (size_t)shape->width, 4);
    if (!rgba)
        return AN_ENOMEM;
    spread(shape, image, rgba);
    an_code code =
        an_resize(rgba, shape->height, shape->width, to, stack->H, stack->W, stack->aspect);
    an_free(rgba);
    return code;
}

static an_code list_images(an_image_stack *stack, an_part part, int64_t first,
                           const int64_t *labels, char (*hashes)[AN_SHA256_HEX], int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        char key[40];
        AN_ASSERT(labels[i] >= 0 && labels[i] < stack->list->K);
        snprintf(key, sizeof key, "%s/%07lld", an_part_names[part], (long long)(first + i));
        AN_ASSERT(stack->n == 0 || strcmp(stack->list->items[stack->n - 1].key, key) < 0);
        an_item item = {.key = key, .class_name = stack->list->classes[labels[i]], .part = part};
        memcpy(item.hash, hashes[i], AN_SHA256_HEX);
        an_code code = an_listing_add(stack->list, &item);
        if (code != AN_OK)
            return code;
        stack->n++;
    }
    return AN_OK;
}

an_code an_image_stack_add(an_image_stack *stack, an_part part, int64_t first,
                           const an_raw_shape *shape, const uint8_t *images, const int64_t *labels,
                           int64_t count)
{
    AN_ASSERT(part < AN_PARTS && count >= 0 && stack->n + count <= stack->room);
    AN_ASSERT(stack->list->classes && !stack->list->sealed);
    int64_t bytes = an_raw_bytes(shape), record = bytes + shape->skip;
    int64_t size = (int64_t)stack->H * stack->W * 3;
    char(*hashes)[AN_SHA256_HEX] = an_alloc((size_t)count * sizeof *hashes + 1);
    if (!hashes)
        return AN_ENOMEM;
    int failures = 0;
#pragma omp parallel for schedule(static) reduction(+ : failures)
    for (int64_t i = 0; i < count; i++) {
        if (an_stop_requested())
            continue;
        const uint8_t *image = images + i * record + shape->skip;
        an_sha256_buffer(image, (size_t)bytes, hashes[i]);
        failures += place(stack, shape, image, stack->pixels + (stack->n + i) * size) != AN_OK;
    }
    an_code code =
        failures == 0 ? an_stop_check() : an_fail(AN_ENOMEM, "%s: no memory", stack->list->source);
    if (code == AN_OK)
        code = list_images(stack, part, first, labels, hashes, count);
    an_free(hashes);
    return code;
}

an_code an_image_stack_read(an_image_stack *stack, an_part part, const an_raw_shape *shape,
                            an_unpack *u, const int64_t *labels, int64_t n)
{
    int64_t bytes = an_raw_bytes(shape), most = an_max(AN_STACK_BLOCK / bytes, 1);
    AN_ASSERT(shape->skip == 0);
    an_code code = an_image_stack_reserve(stack, n);
    uint8_t *block = code == AN_OK ? an_alloc((size_t)(an_min(most, n) * bytes) + 1) : NULL;
    if (!block)
        return an_err_code();
    for (int64_t first = 0; first < n && code == AN_OK; first += most) {
        int64_t count = an_min(most, n - first);
        code = an_stop_check();
        if (code == AN_OK)
            code = an_unpack_read(u, block, (size_t)(count * bytes));
        if (code == AN_OK)
            code = an_image_stack_add(stack, part, first, shape, block, labels + first, count);
    }
    an_free(block);
    return code;
}

/* ── classes ──────────────────────────────────────────────────────────────────── */

static an_code number_classes(an_listing *list, int K)
{
    const char **numbers = an_calloc((size_t)K, sizeof *numbers);
    an_code code = numbers ? AN_OK : AN_ENOMEM;
    for (int k = 0; k < K && code == AN_OK; k++) {
        char text[16];
        snprintf(text, sizeof text, "%d", k);
        numbers[k] = an_string_arena_text(&list->text, text);
        code = numbers[k] ? AN_OK : AN_ENOMEM;
    }
    if (code == AN_OK)
        code = an_listing_classes(list, numbers, K);
    an_free(numbers);
    return code;
}

an_code an_image_stack_classes(an_image_stack *stack, const char *const *names, int K,
                               int64_t *const labels[AN_PARTS], const int64_t n[AN_PARTS])
{
    int64_t most = names ? K - 1 : MOST_NUMBERED - 1, largest = 0;
    for (int part = 0; part < AN_PARTS; part++) {
        for (int64_t i = 0; i < n[part]; i++) {
            int64_t label = labels[part][i];
            if (label < 0 || label > most)
                return an_fail(
                    AN_EFORMAT, "%s: image %s/%07lld has label %lld; %s 0 to %lld",
                    stack->list->source, an_part_names[part], (long long)i, (long long)label,
                    names ? "`classes` names the labels" : "labels may be", (long long)most);
            largest = label > largest ? label : largest;
        }
    }
    return names ? an_listing_classes(stack->list, names, K)
                 : number_classes(stack->list, (int)largest + 1);
}
