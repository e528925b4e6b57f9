/* Reasons of splits that are impossible, and of sets with too many classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "data/split.h"

/* One image of a class: its group or NULL, and the letter that its hash repeats, 0 for its own. */
typedef struct image {
    const char *class_name, *group;
    char hash;
} image;

static void list_images(an_listing *list, const image *images, int n)
{
    assert_int_equal(an_listing_begin(list, "made"), AN_OK);
    for (int i = 0; i < n; i++) {
        char key[8];
        snprintf(key, sizeof key, "%02d", i);
        an_item item = {.key = key,
                        .class_name = images[i].class_name,
                        .group = images[i].group,
                        .part = AN_UNASSIGNED};
        snprintf(item.hash, sizeof item.hash, "%064d", i);
        if (images[i].hash)
            memset(item.hash, images[i].hash, 64);
        assert_int_equal(an_listing_add(list, &item), AN_OK);
    }
    assert_int_equal(an_listing_seal(list), AN_OK);
}

/* The cut fails at every share of the test part, with the same reason. */
static void refuses(const image *images, int n, const char *reason)
{
    char expected[600];
    snprintf(expected, sizeof expected, "made: %s", reason);
    for (double test = 0.1; test < 0.5; test += 0.1) {
        an_listing list;
        list_images(&list, images, n);
        assert_int_equal(an_split_complete(&list, 0.1, test, 0), AN_EFORMAT);
        assert_string_equal(an_err_message(), expected);
        an_listing_free(&list);
    }
}

static void test_the_reason_of_an_impossible_cut(void **state)
{
    (void)state;
    refuses((image[]){{"a", NULL, 0}, {"b", NULL, 0}, {"c", NULL, 0}}, 3,
            "no test part can be cut: every class has one image, and two are the least (three with "
            "a validation part); add images");
    refuses((image[]){{"a", "nan", 0}, {"a", "nan", 0}, {"b", "nan", 0}, {"b", "nan", 0}}, 4,
            "no test part can be cut: all 4 images are one group ('nan'), which stays in one part; "
            "correct the column of the groups, or leave `group` out");
    refuses((image[]){{"a", NULL, 'x'}, {"a", NULL, 'x'}, {"b", NULL, 'x'}}, 3,
            "no test part can be cut: all 3 images have the same bytes, and copies stay in one "
            "part; two different images are the least, three with a validation part");
    refuses((image[]){{"a", "p", 'x'}, {"a", "p", 0}, {"b", "q", 'x'}, {"b", "q", 0}}, 4,
            "no test part can be cut: all 4 images are linked by groups and equal bytes, and stay "
            "in one part; correct the column of the groups, or leave `group` out");
    refuses((image[]){{"a", NULL, 'x'}, {"a", NULL, 'x'}, {"b", NULL, 'y'}, {"b", NULL, 'y'}}, 4,
            "no test part can be cut: no class can be divided; the 2 images of 'a' have the same "
            "bytes, and copies stay in one part; two different images are the least, three with a "
            "validation part");
    refuses((image[]){{"a", "p", 0}, {"b", "p", 0}, {"b", "q", 0}, {"b", "q", 0}}, 4,
            "no test part can be cut: 2 groups are too few for 2 classes; two groups per class are "
            "the least; add some, or leave `group` out");
}

/* The second image of a class went to validation, whose share is not the smaller one. */
static void test_validation_takes_what_the_test_needs(void **state)
{
    (void)state;
    const image images[] = {{"a", NULL, 0}, {"a", NULL, 0}, {"b", NULL, 0}, {"b", NULL, 0}};
    an_listing list;
    list_images(&list, images, 4);
    assert_int_equal(an_split_complete(&list, 0.2, 0.1, 0), AN_EFORMAT);
    assert_string_equal(an_err_message(),
                        "made: no test part can be cut: no class has a third image or group, and "
                        "validation took the second; give `test` more than `val`, or val = 0");
    an_listing_free(&list);
    const double cures[2][2] = {{0.1, 0.2}, {0, 0.1}};
    for (int i = 0; i < 2; i++) {
        list_images(&list, images, 4);
        assert_int_equal(an_split_complete(&list, cures[i][0], cures[i][1], 0), AN_OK);
        an_listing_free(&list);
    }
}

static void test_a_class_that_a_cut_cannot_train(void **state)
{
    (void)state;
    const image images[] = {{"a", NULL, 0}, {"b", NULL, 0}, {"b", NULL, 0}, {"b", NULL, 0}};
    an_listing list;
    list_images(&list, images, 4);
    assert_int_equal(an_split_complete(&list, 0.1, 0.6, 0), AN_EFORMAT);
    assert_string_equal(an_err_message(),
                        "made: class 'a' has no training image: it has one image, and two are the "
                        "least (three with a validation part); add images, or leave the class out");
    an_listing_free(&list);
    const image grouped[] = {
        {"a", "p", 0}, {"a", "p", 0}, {"b", NULL, 0}, {"b", NULL, 0}, {"b", NULL, 0}};
    list_images(&list, grouped, 5);
    assert_int_equal(an_split_complete(&list, 0.1, 0.6, 0), AN_EFORMAT);
    assert_string_equal(an_err_message(),
                        "made: class 'a' has no training image: its 2 images are one group ('p'), "
                        "which stays in one part; correct the column of the groups, or leave "
                        "`group` out, or leave the class out");
    an_listing_free(&list);
    /* where the listing divides groups, they are no reason */
    list_images(&list, grouped, 5);
    list.divides_groups = true;
    assert_int_equal(an_split_complete(&list, 0.1, 0.2, 0), AN_OK);
    an_listing_free(&list);
}

/* A class per image, as from a column that holds no labels. */
static void test_too_many_classes(void **state)
{
    (void)state;
    an_listing list;
    assert_int_equal(an_listing_begin(&list, "made"), AN_OK);
    for (int i = 0; i <= AN_MOST_CLASSES; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        an_item item = {.key = key, .class_name = key, .part = AN_UNASSIGNED};
        assert_int_equal(an_listing_add(&list, &item), AN_OK);
    }
    assert_int_equal(an_listing_seal(&list), AN_EFORMAT);
    assert_string_equal(an_err_message(), "made: 30001 classes in 30001 images, more than 30000; "
                                          "is the column of the labels right?");
    an_listing_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reason_of_an_impossible_cut),
        cmocka_unit_test(test_validation_takes_what_the_test_needs),
        cmocka_unit_test(test_a_class_that_a_cut_cannot_train),
        cmocka_unit_test(test_too_many_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
