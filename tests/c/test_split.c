/* Splits: shares, whole groups, copies, determinism, errors; sources with predefined parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/memory/mem.h"
#include "data/source.h"
#include "data/split.h"
#include "tests/c/aborts.h"
#include "tests/c/scratch.h"

/* n[k] images of class k in groups of 1, 2, 3, 1, 2, 3 … images. */
static void fill(an_listing *list, const int *n, int K, an_part part)
{
    assert_int_equal(an_listing_begin(list, "made"), AN_OK);
    for (int k = 0; k < K; k++) {
        for (int i = 0; i < n[k]; i++) {
            char key[32], group[32], class_name[16];
            snprintf(key, sizeof key, "%d-%05d", k, i);
            snprintf(group, sizeof group, "%d-%d", k, i / 6 * 3 + (i % 6 > 0) + (i % 6 > 2));
            snprintf(class_name, sizeof class_name, "c%d", k);
            an_item item = {.key = key, .class_name = class_name, .group = group, .part = part};
            assert_int_equal(an_listing_add(list, &item), AN_OK);
        }
    }
    assert_int_equal(an_listing_seal(list), AN_OK);
}

static int count(const an_listing *list, int label, an_part part)
{
    int n = 0;
    for (int64_t i = 0; i < list->n; i++)
        n += list->items[i].label == label && list->items[i].part == part;
    return n;
}

static void test_shares_hold_in_every_class_and_groups_stay_whole(void **state)
{
    (void)state;
    const int n[3] = {600, 90, 20};
    for (uint64_t seed = 0; seed < 20; seed++) {
        an_listing list;
        int64_t groups = -1, copies = -1;
        fill(&list, n, 3, AN_UNASSIGNED);
        assert_int_equal(an_split_complete(&list, 0.1, 0.2, seed), AN_OK);
        for (int k = 0; k < 3; k++) {
            assert_true(abs(count(&list, k, AN_TRAIN) - 7 * n[k] / 10) <= 3);
            assert_true(abs(count(&list, k, AN_VAL) - n[k] / 10) <= 3);
            assert_true(abs(count(&list, k, AN_TEST) - n[k] / 5) <= 3);
            assert_true(count(&list, k, AN_VAL) > 0);
        }
        for (int64_t i = 1; i < list.n; i++)
            for (int64_t j = i - 1; j >= 0 && j > i - 3; j--)
                if (strcmp(list.items[i].group, list.items[j].group) == 0)
                    assert_int_equal(list.items[i].part, list.items[j].part);
        assert_int_equal(an_split_leaks(&list, &groups, &copies), AN_OK);
        assert_int_equal(groups, 0);
        an_listing_free(&list);
    }
}

static void hash_of(uint64_t seed, char hex[AN_SHA256_HEX])
{
    const int n[2] = {120, 60};
    an_listing list;
    fill(&list, n, 2, AN_UNASSIGNED);
    assert_int_equal(an_split_complete(&list, 0.1, 0.2, seed), AN_OK);
    an_split_hash(&list, hex);
    an_listing_free(&list);
}

static void test_the_split_depends_on_the_seed(void **state)
{
    (void)state;
    char a[AN_SHA256_HEX], b[AN_SHA256_HEX], c[AN_SHA256_HEX];
    hash_of(7, a), hash_of(7, b), hash_of(8, c);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
}

static void test_the_hash_matches_its_documentation(void **state)
{
    (void)state;
    an_listing list;
    char hex[AN_SHA256_HEX], expected[AN_SHA256_HEX];
    const char *const text = "0-00000\tc0\ttrain\n0-00001\tc0\ttest\n1-00001\tc1\tval\n";
    fill(&list, (const int[]){2, 2}, 2, AN_UNUSED);
    list.items[0].part = AN_TRAIN, list.items[1].part = AN_TEST, list.items[3].part = AN_VAL;
    an_split_hash(&list, hex);
    an_sha256_buffer(text, strlen(text), expected);
    assert_string_equal(hex, expected);
    an_listing_free(&list);
}

static void test_copies_are_in_one_part(void **state)
{
    (void)state;
    an_listing list;
    fill(&list, (const int[]){60, 60}, 2, AN_UNASSIGNED);
    memset(list.items[3].hash, 'a', 64);
    memset(list.items[57].hash, 'a', 64);
    for (uint64_t seed = 0; seed < 10; seed++) {
        for (int64_t i = 0; i < list.n; i++)
            list.items[i].part = AN_UNASSIGNED;
        assert_int_equal(an_split_complete(&list, 0.2, 0.3, seed), AN_OK);
        assert_int_equal(list.items[3].part, list.items[57].part);
    }
    list.items[3].part = AN_TRAIN, list.items[57].part = AN_TEST;
    int64_t groups, copies;
    assert_int_equal(an_split_leaks(&list, &groups, &copies), AN_OK);
    assert_int_equal(copies, 1);
    assert_true(groups >= 1);
    an_listing_free(&list);
}

static void test_validation_is_cut_from_training_only(void **state)
{
    (void)state;
    an_listing list;
    fill(&list, (const int[]){100, 100}, 2, AN_TRAIN);
    for (int64_t i = 0; i < list.n; i += 3)
        list.items[i].part = AN_TEST;
    int tests = count(&list, 0, AN_TEST), train = count(&list, 0, AN_TRAIN);
    assert_int_equal(an_split_complete(&list, 0.25, 0.9, 1),
                     AN_OK); /* 0.9 is ignored: the test part exists */
    assert_int_equal(count(&list, 0, AN_TEST), tests);
    for (int64_t i = 0; i < list.n; i++)
        assert_int_equal(list.items[i].part == AN_TEST, i % 3 == 0);
    assert_true(abs(count(&list, 0, AN_VAL) - train / 4) <= 2);
    an_listing_free(&list);
}

static void test_errors(void **state)
{
    (void)state;
    an_listing list;
    fill(&list, (const int[]){30, 30}, 2, AN_UNASSIGNED);
    assert_int_equal(an_split_complete(&list, 0.5, 0.5, 0), AN_EINVAL);
    assert_int_equal(an_split_complete(&list, 0.1, 0, 0), AN_EINVAL);
    assert_int_equal(an_split_complete(&list, NAN, 0.2, 0), AN_EINVAL);
    for (int64_t i = 0; i < list.n; i++)
        list.items[i].part = list.items[i].label ? AN_TEST : AN_TRAIN;
    assert_int_equal(an_split_complete(&list, 0.1, 0.2, 0), AN_EFORMAT);
    assert_string_equal(an_err_message(), "made: class 'c1' has no training image; give it some, "
                                          "or leave the class out");
    an_listing_free(&list);
}

static void test_shot_groups(void **state)
{
    (void)state;
    assert_int_equal(an_shot_of(101, 100, 20), AN_MANY);
    assert_int_equal(an_shot_of(100, 100, 20), AN_MEDIUM);
    assert_int_equal(an_shot_of(20, 100, 20), AN_MEDIUM);
    assert_int_equal(an_shot_of(19, 100, 20), AN_FEW);
}

/* ── sources ──────────────────────────────────────────────────────────────────── */

static an_code list_folder(const char *root, an_listing *list)
{
    assert_int_equal(an_listing_begin(list, root), AN_OK);
    an_code code = an_list_classes_of_folder(list, root);
    return code == AN_OK ? an_listing_seal(list) : code;
}

static void test_folders(void **state)
{
    (void)state;
    an_listing list;
    scratch_colour("plain/dog/1.PNG", 2, 2, 1, 2, 3);
    scratch_colour("plain/cat/1.png", 2, 2, 1, 2, 3);
    scratch_file("plain/cat/notes.txt", "x", 1);
    scratch_file("plain/readme.txt", "x", 1);
    assert_int_equal(list_folder(scratch("plain"), &list), AN_OK);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.classes[0], "cat");
    assert_string_equal(list.items[1].key, "dog/1.PNG");
    assert_int_equal(list.items[1].part, AN_UNASSIGNED);
    an_listing_free(&list);

    static const char *const files[] = {"train/a/1.png", "train/b/1.png", "val/a/1.png",
                                        "test/a/1.png", "test/b/1.png"};
    for (int i = 0; i < 5; i++) {
        char name[64];
        snprintf(name, sizeof name, "levels/%s", files[i]);
        scratch_colour(name, 2, 2, (uint8_t)i, 2, 3);
    }
    assert_int_equal(list_folder(scratch("levels"), &list), AN_OK);
    assert_int_equal(count(&list, 0, AN_TRAIN) + count(&list, 1, AN_TRAIN), 2);
    assert_int_equal(count(&list, 0, AN_VAL), 1);
    assert_int_equal(count(&list, 1, AN_TEST), 1);
    an_listing_free(&list);

    scratch_file("hollow/a/notes.txt", "x", 1);
    assert_int_equal(list_folder(scratch("hollow"), &list), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "hollow/a: holds no .jpg"));
    an_listing_free(&list);
    assert_int_equal(list_folder(scratch("absent"), &list), AN_ENOTFOUND);
    an_listing_free(&list);
}

static const char *folders[1];

static an_code list_table(const char *text, an_listing *list, const char *const *classes)
{
    an_table table = {.path = scratch_file("t/meta.csv", text, strlen(text)),
                      .image = "id",
                      .label = "dx",
                      .group = "lesion",
                      .extension = ".png",
                      .folders = folders,
                      .folder_count = 1};
    folders[0] = scratch("t/images");
    assert_int_equal(an_listing_begin(list, table.path), AN_OK);
    if (classes)
        assert_int_equal(an_listing_classes(list, classes, 2), AN_OK);
    an_code code = an_list_table(list, &table);
    return code == AN_OK ? an_listing_seal(list) : code;
}

static void assert_table_error(const char *text, const char *why)
{
    static const char *const classes[2] = {"nv", "mel"};
    an_listing list;
    an_code code = list_table(text, &list, classes);
    assert_true(code == AN_EFORMAT || code == AN_ENOTFOUND);
    if (!strstr(an_err_message(), why))
        fail_msg("'%s' does not contain '%s'", an_err_message(), why);
    an_listing_free(&list);
}

static void test_tables(void **state)
{
    (void)state;
    static const char *const classes[2] = {"nv", "mel"};
    an_listing list;
    scratch_colour("t/images/a.png", 2, 2, 1, 1, 1);
    scratch_colour("t/images/b.png", 2, 2, 1, 1, 1);
    assert_int_equal(list_table("lesion,id,dx\nL,b,nv\n,a.png,mel\n", &list, classes), AN_OK);
    assert_string_equal(list.items[0].key, "a.png");
    assert_int_equal(list.items[0].label, 1);
    assert_null(list.items[0].group);
    assert_string_equal(list.items[1].group, "L");
    an_listing_free(&list);
    assert_table_error("lesion,id,dx\nL,a,nv\nL,c,nv\n", "meta.csv line 3: image c.png is not in");
    assert_table_error("lesion,id,dx\nL,a,nv\nL,b,vn\n", "line 3: 'b' has the unknown label 'vn'");
    assert_table_error("lesion,id,dx\nL,a,nv\nL,a,nv\n", "'a' is listed twice, lines 2 and 3");
    assert_table_error("lesion,id,dx\nL,,nv\n", "line 2: the id is empty");
    assert_table_error("lesion,id,dx\n", "no image is listed");
    assert_table_error("lesion,id,label\nL,a,nv\n", "no column 'dx'");
}

static an_code read_parts(const char *train, const char *test, char name[256])
{
    an_listing list;
    an_table table = {.image = "id", .label = "dx"};
    assert_int_equal(list_table("lesion,id,dx\n,a,nv\n,b,mel\n", &list, NULL), AN_OK);
    scratch_file("parts/pub_train.csv", train, strlen(train));
    scratch_file("parts/pub_test.csv", test, strlen(test));
    an_code code = an_list_parts(&list, scratch("parts"), &table, name);
    if (code == AN_OK) {
        assert_int_equal(list.items[0].part, AN_TRAIN);
        assert_int_equal(list.items[1].part, AN_TEST);
    }
    an_listing_free(&list);
    return code;
}

static void test_predefined_parts(void **state)
{
    (void)state;
    char name[256];
    assert_int_equal(read_parts("id,dx\na,nv\n", "id\nb\n", name), AN_OK);
    assert_string_equal(name, "pub");
    assert_int_equal(read_parts("id,dx\na,nv\n", "id\nb\na\n", name), AN_EFORMAT);
    assert_non_null(
        strstr(an_err_message(), "pub_test.csv line 3: image 'a' is already in the train"));
    assert_int_equal(read_parts("id,dx\na,mel\n", "id\nb\n", name), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "labelled 'mel' here and 'nv'"));
    assert_int_equal(read_parts("id,dx\nz,mel\n", "id\nb\n", name), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "pub_train.csv line 2: image 'z' is not in"));
}

static an_listing open_listing(void)
{
    an_listing list;
    an_listing_begin(&list, "made");
    an_item item = {.key = "a", .class_name = "x", .part = AN_UNASSIGNED};
    an_listing_add(&list, &item);
    return list;
}

static void split_before_sealing(void)
{
    an_listing list = open_listing();
    an_split_complete(&list, 0.1, 0.2, 0);
}

static void find_before_sealing(void)
{
    an_listing list = open_listing();
    an_listing_find(&list, "a");
}

static void add_after_sealing(void)
{
    an_listing list = open_listing();
    an_item item = {.key = "b", .class_name = "y", .part = AN_UNASSIGNED};
    if (an_listing_add(&list, &item) == AN_OK && an_listing_seal(&list) == AN_OK)
        an_listing_add(&list, &item);
}

static void test_the_order_of_calls_is_asserted(void **state)
{
    (void)state;
    assert_true(aborts(split_before_sealing));
    assert_true(aborts(find_before_sealing));
    assert_true(aborts(add_after_sealing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_hold_in_every_class_and_groups_stay_whole),
        cmocka_unit_test(test_the_split_depends_on_the_seed),
        cmocka_unit_test(test_the_hash_matches_its_documentation),
        cmocka_unit_test(test_copies_are_in_one_part),
        cmocka_unit_test(test_validation_is_cut_from_training_only),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_shot_groups),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_predefined_parts),
        cmocka_unit_test(test_the_order_of_calls_is_asserted),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
