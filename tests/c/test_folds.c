/* Folds: every image is tested once, groups stay whole, shares hold, val is cut from training;
 * official folds. Groups of classes: the three rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/class_groups.h"
#include "data/dataset.h"
#include "tests/c/scratch.h"

/* n[k] images of class k in groups of 1, 2, 3, 1, 2, 3 … images. */
static void fill(an_listing *list, const int *n, int K)
{
    assert_int_equal(an_listing_begin(list, "made"), AN_OK);
    for (int k = 0; k < K; k++) {
        for (int i = 0; i < n[k]; i++) {
            char key[32], group[32], class_name[16];
            snprintf(key, sizeof key, "%d-%05d", k, i);
            snprintf(group, sizeof group, "%d-%d", k, i / 6 * 3 + (i % 6 > 0) + (i % 6 > 2));
            snprintf(class_name, sizeof class_name, "c%d", k);
            an_item item = {
                .key = key, .class_name = class_name, .group = group, .part = AN_UNASSIGNED};
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

static void test_every_image_is_tested_once(void **state)
{
    (void)state;
    enum { FOLDS = 5, N = 710 };
    const int n[3] = {600, 90, 20};
    an_listing list;
    int tested[N] = {0};
    int64_t groups = -1, copies = -1;
    fill(&list, n, 3);
    assert_int_equal(an_split_into_folds(&list, FOLDS, 3), AN_OK);
    for (int fold = 0; fold < FOLDS; fold++) {
        assert_int_equal(an_split_of_fold(&list, FOLDS, fold, 0.1, 3), AN_OK);
        for (int64_t i = 0; i < N; i++)
            tested[i] += list.items[i].part == AN_TEST;
        for (int k = 0; k < 3; k++) {
            assert_true(abs(count(&list, k, AN_TEST) - n[k] / FOLDS) <= 3);
            assert_true(abs(count(&list, k, AN_VAL) - n[k] / 10) <= 3);
            assert_true(count(&list, k, AN_VAL) > 0);
        }
        assert_int_equal(an_split_leaks(&list, &groups, &copies), AN_OK);
        assert_int_equal(groups, 0);
    }
    for (int64_t i = 0; i < N; i++)
        assert_int_equal(tested[i], 1);
    an_listing_free(&list);
}

static void hashes(int fold, uint64_t seed, char folds[AN_SHA256_HEX], char parts[AN_SHA256_HEX])
{
    an_listing list;
    fill(&list, (const int[]){120, 60}, 2);
    assert_int_equal(an_split_into_folds(&list, 4, seed), AN_OK);
    assert_int_equal(an_split_of_fold(&list, 4, fold, 0.1, seed), AN_OK);
    an_split_fold_hash(&list, folds);
    an_split_hash(&list, parts);
    an_listing_free(&list);
}

static void test_the_folds_of_a_seed_share_their_hash_and_differ_in_their_parts(void **state)
{
    (void)state;
    char folds[3][AN_SHA256_HEX], parts[3][AN_SHA256_HEX];
    hashes(0, 1, folds[0], parts[0]);
    hashes(1, 1, folds[1], parts[1]);
    hashes(0, 2, folds[2], parts[2]);
    assert_string_equal(folds[0], folds[1]);
    assert_string_not_equal(parts[0], parts[1]);
    assert_string_not_equal(folds[0], folds[2]);
    hashes(0, 1, folds[2], parts[2]);
    assert_string_equal(folds[0], folds[2]);
    assert_string_equal(parts[0], parts[2]);
}

/* Seven images of each class do not fill five folds equally; no fold gets all the remainders. */
static void test_remainders_are_spread_over_the_folds(void **state)
{
    (void)state;
    an_listing list;
    int size[5] = {0};
    assert_int_equal(an_listing_begin(&list, "made"), AN_OK);
    for (int i = 0; i < 35; i++) {
        char key[16], class_name[16];
        snprintf(key, sizeof key, "%02d", i);
        snprintf(class_name, sizeof class_name, "c%d", i / 7);
        an_item item = {.key = key, .class_name = class_name, .part = AN_UNASSIGNED};
        assert_int_equal(an_listing_add(&list, &item), AN_OK);
    }
    assert_int_equal(an_listing_seal(&list), AN_OK);
    assert_int_equal(an_split_into_folds(&list, 5, 0), AN_OK);
    for (int i = 0; i < 35; i++)
        size[list.items[i].fold - 1]++;
    for (int fold = 0; fold < 5; fold++)
        assert_int_equal(size[fold], 7);
    an_listing_free(&list);
}

static void test_clusters_join_groups_and_copies(void **state)
{
    (void)state;
    an_listing list;
    int64_t cluster[12];
    fill(&list, (const int[]){6, 6}, 2);
    memset(list.items[0].hash, 'a', 64);
    memset(list.items[11].hash, 'a', 64);
    assert_int_equal(an_split_clusters(&list, cluster), AN_OK);
    assert_int_equal(cluster[1], cluster[2]);
    assert_int_not_equal(cluster[0], cluster[1]);
    assert_int_equal(cluster[0], cluster[11]);
    an_listing_free(&list);
}

static void test_refusals(void **state)
{
    (void)state;
    an_listing list;
    fill(&list, (const int[]){30, 30}, 2);
    assert_int_equal(an_split_into_folds(&list, 1, 0), AN_EINVAL);
    assert_int_equal(an_split_into_folds(&list, AN_MOST_FOLDS + 1, 0), AN_EINVAL);
    assert_int_equal(an_split_into_folds(&list, 2, 0), AN_OK);
    assert_int_equal(an_split_of_fold(&list, 2, 0, 0.5, 0), AN_EINVAL);
    assert_string_equal(an_err_message(),
                        "split: val = 0.5 of all images leaves nothing to train on "
                        "in 2 folds");
    an_listing_free(&list);
}

/* A class of one group, and more folds than groups: every fold is refused, and not the one that
 * lacks images. */
static void test_folds_that_lack_images(void **state)
{
    (void)state;
    for (int fold = 0; fold < 3; fold++) {
        an_listing list;
        const an_fold which = {3, fold, false};
        fill(&list, (const int[]){30, 1}, 2);
        assert_int_equal(an_fold_parts(&list, &which, 0.1, 0), AN_EFORMAT);
        assert_non_null(strstr(an_err_message(), "all images of class 'c1' are in fold "));
        an_listing_free(&list);
    }
    an_listing list;
    fill(&list, (const int[]){12, 12}, 2); /* six groups of each */
    assert_int_equal(an_fold_parts(&list, &(an_fold){13, 0, false}, 0, 0), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), " of 13 has no image; use fewer folds"));
    an_listing_free(&list);
    fill(&list, (const int[]){30, 3}, 2); /* groups of one and two images */
    for (int fold = 0; fold < 2; fold++)
        assert_int_equal(an_fold_parts(&list, &(an_fold){2, fold, false}, 0, 0), AN_OK);
    an_listing_free(&list);
}

static an_dataset *lesions(int folds, int fold, bool official)
{
    an_dataset_spec spec = {.name = "lesions",
                            .source = AN_FROM_LESIONS,
                            .n = 700,
                            .H = 4,
                            .W = 4,
                            .val = 0.1,
                            .test = 0.3,
                            .groups = {.head = 5, .tail = 20},
                            .fold = {folds, fold, official},
                            .cache = ""};
    return an_dataset_open(&spec);
}

static void test_a_data_set_in_folds(void **state)
{
    (void)state;
    int64_t tested = 0;
    an_dataset *first = lesions(3, 0, false);
    for (int fold = 0; fold < 3; fold++) {
        an_dataset *ds = lesions(3, fold, false);
        assert_non_null(ds);
        tested += ds->n[AN_TEST];
        assert_string_equal(ds->fold_set, first->fold_set);
        assert_memory_equal(ds->shot, first->shot, (size_t)ds->list.K * sizeof *ds->shot);
        assert_string_equal(ds->sha256, first->sha256);
        an_dataset_close(ds);
    }
    assert_int_equal(tested, 700);
    an_dataset_close(first);
    assert_null(lesions(3, 3, false));
    assert_string_equal(an_err_message(), "fold 3: expected 0 to 2");
    assert_null(lesions(3, 0, true)); /* none came with the data */
    assert_int_equal(an_err_code(), AN_EFORMAT);
}

/* ── groups of classes ────────────────────────────────────────────────────────── */
static const char *const names[7] = {"nv", "mel", "bkl", "bcc", "akiec", "vasc", "df"};

static void test_relative_groups_have_both_ends_on_a_long_tail(void **state)
{
    (void)state;
    const an_group_rule rule = {.kind = AN_BY_RATIO, .head = 5, .tail = 20};
    an_shot shot[3];
    const double ham10000[7] = {6705, 1113, 1099, 514, 327, 142, 115};
    an_shot seven[7];
    assert_int_equal(an_class_groups(ham10000, names, 7, &rule, seven), AN_OK);
    const an_shot expected[7] = {AN_MANY, AN_MEDIUM, AN_MEDIUM, AN_MEDIUM, AN_FEW, AN_FEW, AN_FEW};
    assert_memory_equal(seven, expected, sizeof expected);
    const double mild[3] = {100, 30, 29}; /* no class is twenty times rarer: the rarest */
    an_class_groups(mild, names, 3, &rule, shot);
    assert_memory_equal(shot, ((an_shot[]){AN_MANY, AN_MANY, AN_FEW}), sizeof shot);
    const double equal[3] = {7, 7, 7};
    an_class_groups(equal, names, 3, &rule, shot);
    assert_memory_equal(shot, ((an_shot[]){AN_MANY, AN_MANY, AN_MANY}), sizeof shot);
    const double edges[3] = {100, 20, 5}; /* n_max/5 is head, n_max/20 is tail */
    an_class_groups(edges, names, 3, &rule, shot);
    assert_memory_equal(shot, ((an_shot[]){AN_MANY, AN_MANY, AN_FEW}), sizeof shot);
}

static void test_groups_by_counts_and_by_name(void **state)
{
    (void)state;
    an_shot shot[4];
    const double n[4] = {101, 100, 20, 19};
    const an_group_rule counts = {.kind = AN_BY_COUNTS, .many = 100, .few = 20};
    assert_int_equal(an_class_groups(n, names, 4, &counts, shot), AN_OK);
    assert_memory_equal(shot, ((an_shot[]){AN_MANY, AN_MEDIUM, AN_MEDIUM, AN_FEW}), sizeof shot);
    const char *const head[] = {"bcc"}, *const tail[] = {"nv", "mel"}, *const wrong[] = {"x"};
    an_group_rule given = {.kind = AN_BY_NAME,
                           .head_names = head,
                           .head_count = 1,
                           .tail_names = tail,
                           .tail_count = 2};
    assert_int_equal(an_class_groups(n, names, 4, &given, shot), AN_OK);
    assert_memory_equal(shot, ((an_shot[]){AN_FEW, AN_FEW, AN_MEDIUM, AN_MANY}), sizeof shot);
    given.tail_names = wrong, given.tail_count = 1;
    assert_int_equal(an_class_groups(n, names, 4, &given, shot), AN_EINVAL);
    assert_string_equal(an_err_message(), "data.groups: there is no class 'x'");
    given.tail_names = head;
    assert_int_equal(an_class_groups(n, names, 4, &given, shot), AN_EINVAL);
    const an_group_rule crossed = {.kind = AN_BY_RATIO, .head = 20, .tail = 5};
    assert_int_equal(an_class_groups(n, names, 4, &crossed, shot), AN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_image_is_tested_once),
        cmocka_unit_test(test_the_folds_of_a_seed_share_their_hash_and_differ_in_their_parts),
        cmocka_unit_test(test_remainders_are_spread_over_the_folds),
        cmocka_unit_test(test_clusters_join_groups_and_copies),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_folds_that_lack_images),
        cmocka_unit_test(test_a_data_set_in_folds),
        cmocka_unit_test(test_relative_groups_have_both_ends_on_a_long_tail),
        cmocka_unit_test(test_groups_by_counts_and_by_name),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
