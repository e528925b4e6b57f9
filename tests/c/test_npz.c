/* Archives of arrays: the same pixels and labels as were written; everything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/par.h"
#include "tests/c/stacks.h"

static an_code npz(an_image_stack *stack, const char *path)
{
    return an_read_npz(stack, path, class_names, class_count);
}

#define IMAGES "'descr': '|u1', 'fortran_order': False, 'shape': "
#define LABELS IMAGES

static void add_array(archive *a, const char *name, const char *dictionary, bytes data)
{
    bytes array = npy(dictionary, data.data, data.n);
    add_member(a, name, array.data, array.n, a->count % 2 ? 0 : 8);
    drop(&array), drop(&data);
}

/* An archive whose training arrays have these headers. */
static const char *make_npz(const char *name, const char *images, const char *labels, bytes pixels,
                            bytes numbers)
{
    archive a = {0};
    add_array(&a, "train_images.npy", images, pixels);
    add_array(&a, "train_labels.npy", labels, numbers);
    add_array(&a, "test_images.npy", IMAGES "(10, 5, 7), ", interleaved(0, 10, 1));
    add_array(&a, "test_labels.npy", LABELS "(10, 1)", numbered(0, 10));
    write_bytes(name, finish(&a, ""));
    return scratch(name);
}

static const char *npz_with(const char *images, const char *labels)
{
    return make_npz("x.npz", images, labels, interleaved(10, 30, 1), numbered(10, 30));
}

static void test_npz(void **state)
{
    (void)state;
    check_interleaved(npz, npz_with(IMAGES "(30, 5, 7)", LABELS "(30, 1)"), 1, "2");
    check_interleaved(
        npz, npz_with("\"shape\":(30,5,7,1),'fortran_order':False ,'descr':'>u1',", LABELS "(30,)"),
        1, "2");
    bytes wide = {0};
    for (int i = 10; i < 40; i++)
        add_number(&wide, (uint64_t)(i % 3), 8);
    check_interleaved(npz,
                      make_npz("wide.npz", IMAGES "(30, 5, 7)",
                               "'descr': '<i8', 'fortran_order': False, 'shape': (30, 1), ",
                               interleaved(10, 30, 1), wide),
                      1, "2");
}

static void test_npz_in_three_parts_and_colour(void **state)
{
    (void)state;
    an_image_stack stack;
    an_listing list;
    archive a = {0};
    static const char *const parts[] = {"val", "train", "test"};
    for (int p = 0; p < 3; p++) {
        char name[32];
        snprintf(name, sizeof name, "%s_labels.npy", parts[p]);
        add_array(&a, name, LABELS "(10, 1)", numbered(10 * p, 10));
        snprintf(name, sizeof name, "%s_images.npy", parts[p]);
        add_array(&a, name, IMAGES "(10, 5, 7, 3)", interleaved(10 * p, 10, 3));
    }
    write_bytes("parts.npz", finish(&a, ""));
    assert_int_equal(open_stack(&stack, &list, npz, scratch("parts.npz"), H, W), AN_OK);
    static const an_part order[] = {AN_TEST, AN_TRAIN, AN_VAL};
    for (int i = 0; i < 30; i++) {
        int written = 10 * (2 - i / 10) + i % 10;
        assert_int_equal(list.items[i].part, order[i / 10]);
        assert_int_equal(list.items[i].label, written % 3);
        assert_int_equal(stack.pixels[i * H * W * 3 + 4], pixel(written, 1, 0, 1));
    }
    close_stack(&stack);
}

static void test_npz_refusals(void **state)
{
    (void)state;
    refuses(npz, scratch("none.npz"), AN_ENOTFOUND, "none.npz");
    refuses(npz, scratch_file("text.npz", "no archive", 10), AN_EFORMAT, "not a zip archive");
    refuses(npz, npz_with(IMAGES "(30, 5, 7)", LABELS "(10, 3)"), AN_EFORMAT, "3 labels per image");
    refuses(npz, npz_with(IMAGES "(30, 5, 7)", LABELS "(10, 1, 3)"), AN_EFORMAT, "neither (n, 1)");
    refuses(npz, npz_with(IMAGES "(15, 5, 7, 2)", LABELS "(30, 1)"), AN_EFORMAT,
            "15 images, but 30 labels");
    refuses(npz,
            make_npz("v.npz", IMAGES "(30, 5, 7, 5)", LABELS "(30, 1)", interleaved(0, 150, 1),
                     numbered(0, 30)),
            AN_EFORMAT, "three dimensions");
    refuses(npz, npz_with(IMAGES "(30, 35)", LABELS "(30, 1)"), AN_EFORMAT, "not uint8");
    refuses(npz, npz_with(IMAGES "(30, 5, 8)", LABELS "(30, 1)"), AN_EFORMAT,
            "not what its header declares");
    refuses(npz, npz_with(IMAGES "(30, 5, 7)", LABELS "(31, 1)"), AN_EFORMAT,
            "not what its header declares");
    static const char *const wrong[] = {
        "'descr': '|u1', 'fortran_order': False, 'shape': (30, 5, 7, 1, 1)",
        "'descr': '|u1', 'fortran_order': False, 'shape': (30, -5, 7)",
        "'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904, 4, 7)",
        "'descr': '|u1', 'fortran_order': False",
        "'descr': '|u1', 'descr': '|u1', 'shape': (30, 5, 7)",
        "'descr': '|u1', 'fortran_order': False, 'shape': (30, 5, 7), 'x': 1",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuses(npz, npz_with(wrong[i], LABELS "(30, 1)"), AN_EFORMAT, "not an array of whole");
    static const char shape[] = "'fortran_order': False, 'shape': (30, 5, 7)";
    static const char *const types[] = {"|O", ">i4", "<f4", "b"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char header[96], expected[32];
        snprintf(header, sizeof header, "'descr': '%s', %s", types[i], shape);
        snprintf(expected, sizeof expected, "images: numbers of type %s;", types[i]);
        refuses(npz, npz_with(header, LABELS "(30, 1)"), AN_EFORMAT, expected);
    }
    refuses(
        npz,
        npz_with("'descr': '|u1', 'fortran_order': True, 'shape': (30, 5, 7)", LABELS "(30, 1)"),
        AN_EFORMAT, "images: an array in Fortran order; save it with numpy.ascontiguousarray");
    archive a = {0};
    add_array(&a, "train_images.npy", IMAGES "(30, 5, 7)", interleaved(0, 30, 1));
    write_bytes("part.npz", finish(&a, ""));
    refuses(npz, scratch("part.npz"), AN_EFORMAT, "test_labels: not in the archive");
    archive b = {0};
    static const char *const names[] = {"train", "test"};
    for (int p = 0; p < 2; p++) {
        char name[32];
        snprintf(name, sizeof name, "%s_labels.npy", names[p]);
        add_array(&b, name, LABELS "(10, 1)", numbered(10 * p, 10));
        snprintf(name, sizeof name, "%s_images.npy", names[p]);
        add_array(&b, name, IMAGES "(10, 5, 7)", interleaved(10 * p, 10, 1));
    }
    add_array(&b, "val_images.npy", IMAGES "(10, 5, 7)", interleaved(20, 10, 1));
    write_bytes("val.npz", finish(&b, ""));
    refuses(npz, scratch("val.npz"), AN_EFORMAT,
            "val_labels: not in the archive, but val_images is");
}

/* A byte of a small file is changed, of the headers and the directory each: read or refused, and no
 * memory is left. */
static void test_damage_anywhere(void **state)
{
    (void)state;
    FILE *file = fopen(npz_with(IMAGES "(30, 5, 7)", LABELS "(30, 1)"), "rb");
    static uint8_t data[65536];
    size_t n = fread(data, 1, sizeof data, file);
    fclose(file);
    int64_t live = an_mem_live();
    an_set_threads(1); /* on a loaded machine, waiting for threads would take minutes */
    for (size_t i = 0; i<n; i += i> 200 && i + 600 < n ? 17 : 1) {
        an_image_stack stack;
        an_listing list;
        data[i] ^= 1 << i % 8;
        open_stack(&stack, &list, npz, scratch_file("damaged.npz", data, n), 4, 4);
        close_stack(&stack);
        data[i] ^= 1 << i % 8;
    }
    assert_int_equal(an_mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npz),
        cmocka_unit_test(test_npz_in_three_parts_and_colour),
        cmocka_unit_test(test_npz_refusals),
        cmocka_unit_test(test_damage_anywhere),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
