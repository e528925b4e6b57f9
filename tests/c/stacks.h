/* stacks: image sets with known pixels and labels, for the tests of their readers. */
#ifndef AN_TESTS_STACKS_H
#define AN_TESTS_STACKS_H

#include "base/memory/mem.h"
#include "data/container.h"
#include "tests/c/archive.h"
#include "tests/c/scratch.h"

typedef an_code (*reader)(an_image_stack *stack, const char *path);

static const char *const *class_names;
static int class_count;

static inline an_code open_stack(an_image_stack *stack, an_listing *list, reader read,
                                 const char *path, int H, int W)
{
    *stack = (an_image_stack){.list = list, .H = H, .W = W};
    an_code code = an_listing_begin(list, path);
    if (code == AN_OK)
        code = read(stack, path);
    return code == AN_OK ? an_listing_seal(list) : code;
}

static inline void close_stack(an_image_stack *stack)
{
    an_free(stack->pixels);
    an_listing_free(stack->list);
}

static inline void refuses(reader read, const char *path, an_code code, const char *why)
{
    an_image_stack stack;
    an_listing list;
    int64_t live = an_mem_live();
    assert_int_equal(open_stack(&stack, &list, read, path, 4, 4), code);
    if (!strstr(an_err_message(), why))
        fail_msg("'%s' does not contain '%s'", an_err_message(), why);
    close_stack(&stack);
    assert_int_equal(an_mem_live(), live);
}

static inline void write_bytes(const char *name, bytes b)
{
    scratch_file(name, b.data, b.n);
    drop(&b);
}

/* Byte at (channel, row, column) of image i. */
static inline uint8_t pixel(int i, int c, int y, int x)
{
    return (uint8_t)(i * 31 + c * 80 + y * 3 + x * 5);
}

/* ── sets of small images: 10 for the test, 30 for training, three classes ──────── */
enum { H = 5, W = 7 };

/* Interleaved images first … first+count−1. */
static inline bytes interleaved(int first, int count, int channels)
{
    bytes out = {0};
    for (int i = first; i < first + count; i++)
        for (int at = 0; at < H * W * channels; at++)
            add_number(&out, pixel(i, at % channels, at / channels / W, at / channels % W), 1);
    return out;
}

static inline bytes numbered(int first, int count)
{
    bytes out = {0};
    for (int i = first; i < first + count; i++)
        add_number(&out, (uint64_t)(i % 3), 1);
    return out;
}

/* Test images 0 … 9, then training images 10 … 39, at their own size. */
static inline void check_interleaved(reader read, const char *path, int channels, const char *name)
{
    an_image_stack stack;
    an_listing list;
    assert_int_equal(open_stack(&stack, &list, read, path, H, W), AN_OK);
    assert_int_equal(list.n, 40);
    assert_int_equal(list.K, 3);
    assert_string_equal(list.classes[2], name);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(list.items[i].part, i < 10 ? AN_TEST : AN_TRAIN);
        assert_int_equal(list.items[i].label, i % 3);
        for (int at = 0; at < H * W * 3; at++)
            assert_int_equal(stack.pixels[i * H * W * 3 + at],
                             pixel(i, channels == 1 ? 0 : at % 3, at / 3 / W, at / 3 % W));
    }
    close_stack(&stack);
}

#endif
