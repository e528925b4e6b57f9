/* Long tails: the published counts, seeds, nesting, what may not be cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "base/memory/mem.h"
#include "data/long_tail.h"

static void counts_are(an_long_tail tail, int K, const int64_t *counts, const int64_t *expected)
{
    int64_t kept[16];
    assert_int_equal(an_long_tail_counts(&tail, counts, K, kept), AN_OK);
    for (int k = 0; k < K; k++)
        assert_int_equal(kept[k], expected[k]);
}

#define TEN(n) ((int64_t[]){n, n, n, n, n, n, n, n, n, n})

static void test_cifar10_lt(void **state)
{
    (void)state;
    an_long_tail exp = {AN_EXP, 100, 0.5, false}, step = {AN_STEP, 10, 0.5, false};
    static const int64_t published[] = {5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50};
    int64_t total = 0;
    for (int k = 0; k < 10; k++)
        total += published[k];
    assert_int_equal(total, 12406);
    counts_are(exp, 10, TEN(5000), published);
    counts_are(step, 10, TEN(5000),
               (int64_t[]){5000, 5000, 5000, 5000, 5000, 500, 500, 500, 500, 500});
    step.share = 0.25; /* 2.5 of 10 classes: three */
    counts_are(step, 10, TEN(5000),
               (int64_t[]){5000, 5000, 5000, 5000, 5000, 5000, 5000, 500, 500, 500});
}

static void test_ratios_without_an_exact_inverse(void **state)
{
    (void)state;
    for (int ratio = 2; ratio < 1000; ratio++) {
        an_long_tail exp = {AN_EXP, ratio, 0, false};
        int64_t kept[2], counts[2] = {7 * ratio, 7 * ratio};
        assert_int_equal(an_long_tail_counts(&exp, counts, 2, kept), AN_OK);
        assert_int_equal(kept[1], 7);
    }
}

static void test_order_and_classes_that_have_too_few(void **state)
{
    (void)state;
    an_long_tail tail = {AN_STEP, 4, 0.5, false};
    static const int64_t counts[] = {60, 100, 20, 80};
    counts_are(tail, 4, counts, (int64_t[]){60, 100, 20, 25});
    tail.by_size = true; /* 100, 80 | 60, 20 */
    counts_are(tail, 4, counts, (int64_t[]){25, 100, 20, 80});
    counts_are((an_long_tail){0}, 4, counts, counts);
}

/* ── cutting a listing ──────────────────────────────────────────────────────── */

/* K = 3; of each class n training images and 5 of validation and test. */
static void make_list(an_listing *list, int n)
{
    assert_int_equal(an_listing_begin(list, "set"), AN_OK);
    for (int i = 0; i < 3 * (n + 10); i++) {
        char key[16], class_name[2] = {(char)('a' + i % 3), 0};
        snprintf(key, sizeof key, "%05d", i);
        an_part part = i / 3 < n ? AN_TRAIN : i / 3 < n + 5 ? AN_VAL : AN_TEST;
        an_item item = {.key = key, .class_name = class_name, .part = part};
        assert_int_equal(an_listing_add(list, &item), AN_OK);
    }
    assert_int_equal(an_listing_seal(list), AN_OK);
}

static void cut(an_listing *list, int n, double ratio, uint64_t seed)
{
    make_list(list, n);
    an_long_tail tail = {AN_EXP, ratio, 0, false};
    assert_int_equal(an_long_tail_cut(list, &tail, seed), AN_OK);
}

static void test_only_training_images_are_cut(void **state)
{
    (void)state;
    an_listing list;
    int count[3][AN_UNASSIGNED + 1] = {0};
    cut(&list, 400, 100, 7);
    for (int64_t i = 0; i < list.n; i++)
        count[list.items[i].label][list.items[i].part]++;
    static const int kept[] = {400, 40, 4};
    for (int k = 0; k < 3; k++) {
        assert_int_equal(count[k][AN_TRAIN], kept[k]);
        assert_int_equal(count[k][AN_UNUSED], 400 - kept[k]);
        assert_int_equal(count[k][AN_VAL], 5);
        assert_int_equal(count[k][AN_TEST], 5);
    }
    an_listing_free(&list);
}

static int shared(const an_listing *a, const an_listing *b)
{
    int n = 0;
    for (int64_t i = 0; i < a->n; i++)
        n += a->items[i].part == AN_TRAIN && b->items[i].part == AN_TRAIN && a->items[i].label > 0;
    return n;
}

static void test_the_seed_decides_and_ratios_nest(void **state)
{
    (void)state;
    an_listing a, b, other, smaller;
    cut(&a, 400, 16, 7), cut(&b, 400, 16, 7), cut(&other, 400, 16, 8), cut(&smaller, 400, 100, 7);
    assert_int_equal(shared(&a, &b), 100 + 25);
    assert_true(shared(&a, &other) < 60);           /* expected by chance: 25 + 1.6 */
    assert_int_equal(shared(&a, &smaller), 40 + 4); /* all of the smaller one */
    int64_t first = 0; /* of the 100 images of class 1, about half are of its first half */
    for (int64_t i = 0; i < 600; i++)
        first += a.items[i].part == AN_TRAIN && a.items[i].label == 1;
    assert_in_range(first, 30, 70);
    an_listing_free(&a), an_listing_free(&b), an_listing_free(&other), an_listing_free(&smaller);
}

static void test_refusals(void **state)
{
    (void)state;
    an_listing list;
    make_list(&list, 40);
    an_long_tail tail = {AN_EXP, 100, 0, false};
    assert_int_equal(an_long_tail_cut(&list, &tail, 0), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "class 'c' without a training image"));
    tail.ratio = 1;
    assert_int_equal(an_long_tail_cut(&list, &tail, 0), AN_EINVAL);
    tail = (an_long_tail){AN_STEP, 2, 1, false};
    assert_int_equal(an_long_tail_cut(&list, &tail, 0), AN_EINVAL);
    tail.share = 0.1; /* 0.3 of 3 classes */
    assert_int_equal(an_long_tail_cut(&list, &tail, 0), AN_EINVAL);
    assert_non_null(strstr(an_err_message(), "makes none of the 3 classes rare"));
    tail.share = 0.9;
    assert_int_equal(an_long_tail_cut(&list, &tail, 0), AN_EINVAL);
    assert_non_null(strstr(an_err_message(), "makes all of the 3 classes rare"));
    int64_t live = an_mem_live();
    an_code code = AN_ENOMEM;
    for (int nth = 1; code == AN_ENOMEM; nth++) {
        an_mem_fail_at(nth);
        tail = (an_long_tail){AN_STEP, 2, 0.5, false};
        code = an_long_tail_cut(&list, &tail, 0);
        an_mem_fail_at(0);
        assert_int_equal(an_mem_live(), live);
    }
    assert_int_equal(code, AN_OK);
    an_listing_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cifar10_lt),
        cmocka_unit_test(test_ratios_without_an_exact_inverse),
        cmocka_unit_test(test_order_and_classes_that_have_too_few),
        cmocka_unit_test(test_only_training_images_are_cut),
        cmocka_unit_test(test_the_seed_decides_and_ratios_nest),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
