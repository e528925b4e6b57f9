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

static void test_a_listing_may_divide_its_groups(void **state)
{
    (void)state;
    const int n[3] = {600, 90, 20};
    an_listing list;
    int64_t groups = -1, copies = -1;
    fill(&list, n, 3, AN_UNASSIGNED);
    list.divides_groups = true;
    assert_int_equal(an_split_complete(&list, 0.1, 0.2, 0), AN_OK);
    assert_int_equal(count(&list, 0, AN_TEST), 120);
    assert_int_equal(an_split_leaks(&list, &groups, &copies), AN_OK);
    assert_true(groups > 100);
    an_listing_free(&list);
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
    assert_string_equal(an_err_message(),
                        "made: class 'c1' has no training image (0 for validation, 30 for the "
                        "test); the parts came with the data: give it some there, or leave the "
                        "class out");
    list.classes[0] = "C1";
    assert_int_equal(an_split_complete(&list, 0.1, 0.2, 0), AN_EFORMAT);
    assert_string_equal(an_err_message(),
                        "made: class 'c1' has no training image, and 'C1' is another class; are "
                        "they one? merge = { { \"C1\", \"c1\" } } makes them one");
    for (int64_t i = 0; i < list.n; i++)
        list.items[i].part = AN_TRAIN;
    assert_int_equal(an_split_complete(&list, 0.1, 0.2, 0), AN_EFORMAT);
    assert_string_equal(an_err_message(),
                        "made: the test part is empty; the parts came with the data, and `test` "
                        "cuts none from them: add a test part, or give the images without parts");
    an_listing_free(&list);
}

/* ── sources ──────────────────────────────────────────────────────────────────── */

/* Three rows of two classes: "a" and "b" of a table with groups and folds, in the folder t/images.
 */
static an_code list_rows(const char *const key[3], an_listing *list, bool skip, int64_t *missing)
{
    static const char *const classes[2] = {"nv", "mel"}, *const labels[3] = {"nv", "mel", "mel"};
    static const char *const groups[3] = {"L", "", "L"};
    static const int64_t lines[3] = {2, 3, 5}, folds[3] = {1, 2, 1};
    const char *const folders[2] = {scratch("t/none"), scratch("t/images")};
    an_image_rows rows = {.source = "meta.csv",
                          .root = scratch_root,
                          .n = 3,
                          .key = key,
                          .class_name = labels,
                          .group = groups,
                          .line = lines,
                          .fold = folds,
                          .extension = ".png",
                          .folders = folders,
                          .folder_count = 2,
                          .skip_missing = skip};
    assert_int_equal(an_listing_begin(list, rows.source), AN_OK);
    assert_int_equal(an_listing_classes(list, classes, 2), AN_OK);
    an_code code = an_list_rows(list, &rows, missing);
    return code == AN_OK ? an_listing_seal(list) : code;
}

static void rows_refused(const char *key, an_code expected, const char *why)
{
    an_listing list;
    int64_t missing;
    assert_int_equal(list_rows((const char *[]){"a", "b", key}, &list, false, &missing), expected);
    if (!strstr(an_err_message(), why))
        fail_msg("'%s' does not contain '%s'", an_err_message(), why);
    an_listing_free(&list);
}

static void test_rows_find_their_images(void **state)
{
    (void)state;
    an_listing list;
    int64_t missing = -1;
    char inside[300];
    for (int i = 0; i < 2; i++)
        scratch_colour(i ? "t/images/b.png" : "t/images/a.png", 2, 2, 1, 1, 1);
    scratch_colour("t/images/deep/c.png", 2, 2, 1, 1, 1);
    snprintf(inside, sizeof inside, "%s", scratch("t/images/deep/c.png"));
    const char *const names[] = {"deep/c",          "deep\\c.png",       inside,
                                 "deep/../deep//c", ".\\deep\\x\\..\\c", "../images/./deep/c.png"};
    for (int i = 0; i < 6; i++) {
        const char *const key[3] = {"a.png", "b", names[i]};
        assert_int_equal(list_rows(key, &list, false, &missing), AN_OK);
        an_item *c = an_listing_find(&list, names[i]);
        assert_string_equal(c->path, inside);
        assert_int_equal(c->label, 1);
        assert_int_equal(c->line, 5);
        assert_int_equal(c->fold, 1);
        assert_int_equal(c->part, AN_UNASSIGNED);
        assert_true(c->stamp.size > 0);
        assert_string_equal(c->group, "L");
        assert_null(an_listing_find(&list, "b")->group);
        an_listing_free(&list);
    }
    assert_int_equal(list_rows((const char *[]){"a", "b", "x"}, &list, true, &missing), AN_OK);
    assert_int_equal(missing, 1);
    assert_int_equal(list.n, 2);
    an_listing_free(&list);
}

static void test_rows_that_are_refused(void **state)
{
    (void)state;
    char climbing[300];
    scratch_colour("t/a.png", 2, 2, 1, 1, 1);
    rows_refused("x", AN_ENOTFOUND, "meta.csv line 5: image x.png is not in ");
    rows_refused("../../../a", AN_EFORMAT, "meta.csv line 5: image ../../../a.png is outside ");
    rows_refused("deep\\..\\..\\..\\..\\a", AN_EFORMAT, "a.png is outside ");
    rows_refused(
        "/etc/hostname", AN_EFORMAT,
        "; images = \"/etc\" allows that folder, strip = \"…\" removes the front of every name");
    snprintf(climbing, sizeof climbing, "%s/../a", scratch_root);
    rows_refused(climbing, AN_EFORMAT, "/../a.png is outside ");
    snprintf(climbing, sizeof climbing, "%sx/a", scratch_root); /* begins as the root does */
    rows_refused(climbing, AN_EFORMAT, "x/a.png is outside ");
    rows_refused("C:\\data\\a", AN_ENOTFOUND,
                 "image C:\\data\\a.png is a path on another computer; "
                 "strip = [[C:\\data]] removes the front of every name");
    rows_refused("\\\\host\\a", AN_ENOTFOUND,
                 "is a path on another computer; strip = [[\\\\host]]");
    rows_refused("a", AN_EFORMAT, "'a' is listed twice, lines 2 and 5");
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
        cmocka_unit_test(test_a_listing_may_divide_its_groups),
        cmocka_unit_test(test_the_split_depends_on_the_seed),
        cmocka_unit_test(test_the_hash_matches_its_documentation),
        cmocka_unit_test(test_copies_are_in_one_part),
        cmocka_unit_test(test_validation_is_cut_from_training_only),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_rows_find_their_images),
        cmocka_unit_test(test_rows_that_are_refused),
        cmocka_unit_test(test_the_order_of_calls_is_asserted),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
