/* CIFAR and IDX: the same pixels and labels as were written; everything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/c/stacks.h"

static an_code cifar10(an_image_stack *stack, const char *path)
{
    return an_read_cifar(stack, path, AN_CIFAR10);
}
static an_code cifar100(an_image_stack *stack, const char *path)
{
    return an_read_cifar(stack, path, AN_CIFAR100);
}
static an_code idx(an_image_stack *stack, const char *path)
{
    return an_read_idx(stack, path, class_names, class_count);
}

/* ── CIFAR ──────────────────────────────────────────────────────────────────── */

static bytes records(int first, int count, int labels, int classes)
{
    bytes out = {0};
    for (int i = first; i < first + count; i++) {
        if (labels == 2)
            add_number(&out, 99, 1); /* the coarse label, which is not read */
        add_number(&out, (uint64_t)(i * 7 % classes), 1);
        for (int at = 0; at < 3072; at++)
            add_number(&out, pixel(i, at / 1024, at / 32 % 32, at % 32), 1);
    }
    return out;
}

static void make_cifar10(const char *folder)
{
    char name[64];
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof name, "%s/data_batch_%d.bin", folder, i);
        write_bytes(name, records(20 * i, 20, 1, 10));
    }
    snprintf(name, sizeof name, "%s/test_batch.bin", folder);
    write_bytes(name, records(0, 20, 1, 10));
    static const char names[] =
        "airplane\nautomobile\r\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
    snprintf(name, sizeof name, "%s/batches.meta.txt", folder);
    scratch_file(name, names, sizeof names - 1);
}

static void check_planar(const an_image_stack *stack, int64_t at, int i)
{
    for (int y = 0; y < 32; y++)
        for (int x = 0; x < 32; x++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(stack->pixels[at * 3072 + (y * 32 + x) * 3 + c],
                                 pixel(i, c, y, x));
}

static void test_cifar10(void **state)
{
    (void)state;
    an_image_stack stack;
    an_listing list;
    make_cifar10("c10/cifar-10-batches-bin");
    assert_int_equal(open_stack(&stack, &list, cifar10, scratch("c10"), 32, 32), AN_OK);
    assert_int_equal(list.n, 120);
    assert_int_equal(list.K, 10);
    assert_string_equal(list.classes[1], "automobile");
    for (int i = 0; i < 120; i++) { /* test 0 … 19, then training 20 … 119 */
        assert_int_equal(list.items[i].part, i < 20 ? AN_TEST : AN_TRAIN);
        assert_int_equal(list.items[i].label, i * 7 % 10);
        check_planar(&stack, i, i);
    }
    assert_string_equal(list.items[119].key, "train/0000099");
    close_stack(&stack);
}

static void test_the_content_hash_does_not_depend_on_the_size(void **state)
{
    (void)state;
    an_image_stack stacks[2];
    an_listing lists[2];
    char hashes[2][AN_SHA256_HEX];
    make_cifar10("hash");
    for (int k = 0; k < 2; k++) {
        int side = k ? 8 : 32;
        assert_int_equal(open_stack(&stacks[k], &lists[k], cifar10, scratch("hash"), side, side),
                         AN_OK);
        an_listing_hash(&lists[k], true, hashes[k]);
        close_stack(&stacks[k]);
    }
    assert_string_equal(hashes[0], hashes[1]);
    bytes b = records(0, 20, 1, 10);
    b.data[500] ^= 1;
    write_bytes("hash/test_batch.bin", b);
    assert_int_equal(open_stack(&stacks[0], &lists[0], cifar10, scratch("hash"), 8, 8), AN_OK);
    an_listing_hash(&lists[0], true, hashes[0]);
    close_stack(&stacks[0]);
    assert_string_not_equal(hashes[0], hashes[1]);
}

static void test_cifar100_has_fine_labels(void **state)
{
    (void)state;
    an_image_stack stack;
    an_listing list;
    bytes names = {0};
    for (int k = 0; k < 100; k++) {
        char line[16];
        add(&names, line, (size_t)snprintf(line, sizeof line, "fine%02d\n", k));
    }
    write_bytes("c100/fine_label_names.txt", names);
    write_bytes("c100/train.bin", records(0, 200, 2, 100));
    write_bytes("c100/test.bin", records(200, 100, 2, 100));
    assert_int_equal(open_stack(&stack, &list, cifar100, scratch("c100"), 32, 32), AN_OK);
    assert_int_equal(list.n, 300);
    assert_int_equal(list.items[1].label, 201 * 7 % 100);
    assert_string_equal(list.items[1].class_name, "fine07");
    check_planar(&stack, 100, 0);
    close_stack(&stack);
}

static void test_cifar_refusals(void **state)
{
    (void)state;
    refuses(cifar10, scratch("none"), AN_ENOTFOUND, "no such folder");
    scratch_file("pictures/train/cat/0000.jpg", "", 0);
    refuses(cifar10, scratch("pictures"), AN_ENOTFOUND, "the kind is folder");
    scratch_file("python/data_batch_1", "", 0);
    refuses(cifar10, scratch("python"), AN_ENOTFOUND, "the version for Python");
    make_cifar10("bad");
    bytes b = records(0, 20, 1, 10);
    b.n--;
    write_bytes("bad/test_batch.bin", b);
    refuses(cifar10, scratch("bad"), AN_EFORMAT, "not a number of records of 3073 bytes");
    scratch_file("bad/test_batch.bin", "", 0);
    refuses(cifar10, scratch("bad"), AN_EFORMAT, "0 bytes");
    b = records(0, 20, 1, 10);
    b.data[3 * 3073] = 10;
    write_bytes("bad/test_batch.bin", b);
    refuses(cifar10, scratch("bad"), AN_EFORMAT, "image 3 has label 10");
    make_cifar10("bad");
    scratch_file("bad/batches.meta.txt", "a\nb\n", 4);
    refuses(cifar10, scratch("bad"), AN_EFORMAT, "2 class names; CIFAR-10 has 10");
    static const char escape[] = "a\nb\nc\nd\ne\nf\ng\nh\ni\n\x1b[2J\n";
    scratch_file("bad/batches.meta.txt", escape, sizeof escape - 1);
    refuses(cifar10, scratch("bad"), AN_EFORMAT, "printable");
    make_cifar10("bad");
    remove(scratch("bad/data_batch_4.bin"));
    refuses(cifar10, scratch("bad"), AN_ENOTFOUND, "data_batch_4.bin");
}

/* ── IDX ────────────────────────────────────────────────────────────────────── */

/* An IDX file, compressed if the name ends with "z". */
static void write_idx(const char *name, bytes data, int axes, const uint32_t *shape)
{
    bytes out = {0};
    add_number(&out, 0, 2), add_number(&out, 8, 1), add_number(&out, (uint64_t)axes, 1);
    for (int i = 0; i < axes; i++)
        add_big(&out, shape[i]);
    add(&out, data.data, data.n);
    drop(&data);
    if (name[strlen(name) - 1] == 'z') {
        bytes packed = compressed(out.data, out.n, 31);
        drop(&out);
        out = packed;
    }
    write_bytes(name, out);
}

static void make_idx(const char *folder, const char *end, int channels)
{
    char name[96];
    int axes = channels == 3 ? 4 : 3;
    snprintf(name, sizeof name, "%s/train-images-idx3-ubyte%s", folder, end);
    write_idx(name, interleaved(10, 30, channels), axes, (uint32_t[]){30, H, W, 3});
    snprintf(name, sizeof name, "%s/train-labels-idx1-ubyte%s", folder, end);
    write_idx(name, numbered(10, 30), 1, (uint32_t[]){30});
    snprintf(name, sizeof name, "%s/t10k-images.idx3-ubyte%s", folder, end);
    write_idx(name, interleaved(0, 10, channels), axes, (uint32_t[]){10, H, W, 3});
    snprintf(name, sizeof name, "%s/t10k-labels.idx1-ubyte%s", folder, end);
    write_idx(name, numbered(0, 10), 1, (uint32_t[]){10});
}

static void test_idx(void **state)
{
    (void)state;
    static const char *const names[] = {"coat", "bag", "shirt"};
    make_idx("plain", "", 1);
    make_idx("packed", ".gz", 1);
    make_idx("colour", ".gz", 3);
    check_interleaved(idx, scratch("plain"), 1, "2");
    check_interleaved(idx, scratch("packed"), 1, "2");
    class_names = names, class_count = 3;
    check_interleaved(idx, scratch("colour"), 3, "shirt");
    class_count = 2;
    refuses(idx, scratch("colour"), AN_EFORMAT, "image train/0000001 has label 2");
    class_names = NULL, class_count = 0;
}

static void test_idx_refusals(void **state)
{
    (void)state;
    static const char *const images = "ibad/train-images-idx3-ubyte";
    refuses(idx, scratch("nowhere"), AN_ENOTFOUND, "no such folder");
    scratch_file("empty/x", "", 0);
    refuses(idx, scratch("empty"), AN_ENOTFOUND, "holds no t10k-labels-idx1-ubyte");
    make_idx("ibad", "", 1);
    write_idx(images, interleaved(10, 30, 1), 3, (uint32_t[]){29, H, W});
    refuses(idx, scratch("ibad"), AN_EFORMAT, "29 images, but 30 labels");
    write_idx(images, interleaved(10, 31, 1), 3, (uint32_t[]){30, H, W});
    refuses(idx, scratch("ibad"), AN_EFORMAT, "extra data follows");
    write_idx(images, interleaved(10, 29, 1), 3, (uint32_t[]){30, H, W});
    refuses(idx, scratch("ibad"), AN_EFORMAT, "shorter than the data that its header declares");
    write_idx(images, interleaved(10, 30, 1), 3, (uint32_t[]){30, 0xFFFFFFFF, 0xFFFFFFFF});
    refuses(idx, scratch("ibad"), AN_EFORMAT, "more than 4 GiB");
    write_idx(images, interleaved(10, 30, 1), 2, (uint32_t[]){30, H * W});
    refuses(idx, scratch("ibad"), AN_EFORMAT, "2 axes");
    write_idx(images, interleaved(10, 30, 1), 3, (uint32_t[]){30, 0, 0});
    refuses(idx, scratch("ibad"), AN_EFORMAT, "images of 0x0 pixels");
    scratch_file(images, "\0\0\x0d\3", 4);
    refuses(idx, scratch("ibad"), AN_EFORMAT, "not an IDX file of bytes");
    remove(scratch(images));
    write_idx("ibad/train-images-idx3-ubyte.gz", interleaved(10, 29, 1), 3, (uint32_t[]){30, H, W});
    refuses(idx, scratch("ibad"), AN_EFORMAT, "ends before the data");
    write_idx("ibad/train-images-idx3-ubyte.gz", interleaved(10, 30, 1), 3,
              (uint32_t[]){30, 60000, 1000});
    refuses(idx, scratch("ibad"), AN_EFORMAT, "shorter than the data that its header declares");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cifar10),
        cmocka_unit_test(test_the_content_hash_does_not_depend_on_the_size),
        cmocka_unit_test(test_cifar100_has_fine_labels),
        cmocka_unit_test(test_cifar_refusals),
        cmocka_unit_test(test_idx),
        cmocka_unit_test(test_idx_refusals),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
