/* base: memory accounting and its failure hook, errors, addressed random numbers, and
 * chunks that do not depend on the number of threads. */
#include "arrays.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/integer.h"
#include "base/utf8.h"

static void memory_is_counted_and_aligned(void **state)
{
    (void)state;
    int64_t before = an_mem_live();
    char *a = an_alloc(100), *b = an_calloc(10, 10);
    assert_int_equal((uintptr_t)a % 64, 0);
    assert_int_equal(an_mem_live(), before + 200);
    for (int i = 0; i < 100; i++)
        assert_int_equal(b[i], 0);
    memset(a, 7, 100);
    a = an_realloc(a, 1000);
    assert_int_equal(a[99], 7);
    assert_true(an_mem_peak() >= before + 1100);
    an_free(a);
    an_free(b);
    an_free(NULL);
    assert_int_equal(an_mem_live(), before);
}

static void the_nth_allocation_fails_once(void **state)
{
    (void)state;
    an_mem_fail_at(2);
    void *first = an_alloc(8);
    assert_non_null(first);
    assert_null(an_alloc(8));
    assert_int_equal(an_err_code(), AN_ENOMEM);
    void *third = an_alloc(8);
    assert_non_null(third);
    an_free(first);
    an_free(third);
}

static void impossible_sizes_fail(void **state)
{
    (void)state;
    assert_null(an_alloc(SIZE_MAX));
    assert_null(an_calloc(SIZE_MAX / 2, 3));
}

static void a_block_larger_than_the_memory_fails(void **state)
{
    (void)state;
    const size_t limit = an_mem_limit();
    char named[32];
    assert_true(limit > (size_t)1 << 26);
    assert_null(an_alloc(limit + 1));
    assert_int_equal(an_err_code(), AN_ENOMEM);
    snprintf(named, sizeof named, " %zu bytes at once", limit + 1);
    assert_non_null(strstr(an_err_message(), named));
    snprintf(named, sizeof named, "memory, %zu bytes", limit);
    assert_non_null(strstr(an_err_message(), named));
}

static void an_overflowing_product_is_detected(void **state)
{
    (void)state;
    int64_t n = 7;
    assert_true(an_multiply(AN_COUNT_MAX, AN_COUNT_MAX, &n));
    assert_true(n == 4611686014132420609);
    assert_true(an_multiply(INT64_MAX, 0, &n) && n == 0);
    assert_false(an_multiply(INT64_MAX / 2 + 1, 2, &n));
    assert_false(an_multiply((int64_t)1 << 32, (int64_t)1 << 32, &n));
}

static void an_error_may_quote_the_previous_one(void **state)
{
    (void)state;
    assert_int_equal(an_fail(AN_EIO, "disk"), AN_EIO);
    an_fail(AN_EFORMAT, "file: %s", an_err_message());
    assert_string_equal(an_err_message(), "file: disk");
    assert_non_null(strstr(an_err_where(), "test_base.c:"));
    assert_string_equal(an_code_name(an_err_code()), "EFORMAT");
    an_err_clear();
    assert_int_equal(an_err_code(), AN_OK);
}

/* The three known-answer vectors that come with the published generator. */
static void philox_matches_the_published_vectors(void **state)
{
    (void)state;
    uint32_t w[4];
    an_philox(0, 0, 0, w);
    assert_int_equal(w[0], 0x6627e8d5);
    assert_int_equal(w[1], 0xe169c58d);
    assert_int_equal(w[2], 0xbc57ac4c);
    assert_int_equal(w[3], 0x9b00dbd8);
    an_philox(UINT64_MAX, UINT64_MAX, UINT64_MAX, w);
    assert_int_equal(w[0], 0x408f276d);
    assert_int_equal(w[1], 0x41c83b0e);
    assert_int_equal(w[2], 0xa20bc7c6);
    assert_int_equal(w[3], 0x6d5451fd);
    an_philox(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3243f6a88u, w);
    assert_int_equal(w[0], 0xd16cfe09);
    assert_int_equal(w[1], 0x94fdcceb);
    assert_int_equal(w[2], 0x5001e420);
    assert_int_equal(w[3], 0x24126ea1);
}

static void numbers_depend_only_on_their_address(void **state)
{
    (void)state;
    float whole[10000], part[100];
    an_set_threads(2);
    an_fill_normal(whole, 10000, 3, an_stream("noise", 1, 0), 50);
    an_set_threads(1);
    an_fill_normal(part, 100, 3, an_stream("noise", 1, 0), 50 + 4000);
    an_set_threads(0);
    assert_memory_equal(whole + 4000, part, sizeof part);
    assert_true(an_stream("noise", 1, 0) != an_stream("noise", 0, 1));
    assert_true(an_stream("noise", 1, 0) != an_stream("time", 1, 0));
}

static void threads_can_be_multiplied_for_a_while(void **state)
{
    (void)state;
    an_set_threads(2);
    an_multiply_threads(4, 6);
    assert_int_equal(an_threads(), 6);
    assert_int_equal(an_threads_set(), 2);
    an_set_threads(1); /* also in the midst of it */
    assert_int_equal(an_threads(), 4);
    an_multiply_threads(4, 0); /* never fewer than were set */
    assert_int_equal(an_threads(), 1);
    an_multiply_threads(2, 8);
    an_multiply_threads(1, 8);
    assert_int_equal(an_threads(), 1);
    an_set_threads(0);
    assert_int_equal(an_threads(), an_threads_set());
}

static void normals_have_mean_0_and_variance_1(void **state)
{
    (void)state;
    enum { N = 200000 };
    float *x = normals(N, 5);
    double sum = 0, squares = 0, fourth = 0;
    for (int i = 0; i < N; i++) {
        double v = x[i];
        sum += v, squares += v * v, fourth += v * v * v * v;
    }
    assert_true(fabs(sum / N) < 5 / sqrt(N)); /* 5 standard errors each */
    assert_true(fabs(squares / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(fourth / N - 3) < 5 * sqrt(96.0 / N));
    an_free(x);
}

static void a_permutation_contains_each_number_once(void **state)
{
    (void)state;
    int64_t p[1000];
    char seen[1000] = {0};
    an_permutation(p, 1000, 1, 2);
    int moved = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(p[i] >= 0 && p[i] < 1000 && !seen[p[i]]);
        seen[p[i]] = 1;
        moved += p[i] != i;
    }
    assert_true(moved > 900);
}

static void mark(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    int64_t *owner = context;
    for (int64_t i = lo; i < hi; i++)
        owner[i] = chunk;
}

/* The limit holds for no process of root, which therefore becomes another user. */
static void threads_are_as_many_as_the_system_permits(void **state)
{
    (void)state;
    assert_int_equal(an_startable_threads(3), 3);
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit one = {1, 1};
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(77);
        _exit(setrlimit(RLIMIT_NPROC, &one) == 0 ? an_startable_threads(3) : 77);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 1);
}

static void chunks_have_a_fixed_size(void **state)
{
    (void)state;
    int64_t one[1001], two[1001];
    an_set_threads(1);
    an_par_for(1001, 64, mark, one);
    an_set_threads(2);
    an_par_for(1001, 64, mark, two);
    an_set_threads(0);
    assert_memory_equal(one, two, sizeof one);
    assert_int_equal(one[1000], 15);
    assert_int_equal(an_chunks(1001, 64), 16);
    assert_int_equal(an_chunks(0, 64), 0);
}

static void a_loop_below_the_threshold_is_one_chunk(void **state)
{
    (void)state;
    assert_int_equal(an_grain(10, 100, 1000), 10);
    assert_int_equal(an_grain(11, 100, 1000), 2);
    assert_int_equal(an_grain(11, 5000, 1000), 1);
    assert_int_equal(an_grain(0, 100, 1000), 0);
}

/* RFC 3629 §4, its limits on both sides. */
static void utf8_is_recognised(void **state)
{
    (void)state;
    static const char *const valid[] = {"",
                                        "a~",
                                        "\xC2\x80",
                                        "\xDF\xBF",
                                        "\xE0\xA0\x80",
                                        "\xED\x9F\xBF",
                                        "\xEE\x80\x80",
                                        "\xF0\x90\x80\x80",
                                        "\xF4\x8F\xBF\xBF"};
    static const char *const invalid[] = {
        "\x80",         "\xC1\xBF",         "\xC2",     "\xC2\x41",         "\xE0\x9F\xBF",
        "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xE2\x82", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "a\xFF"};
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        assert_true(an_utf8_valid(valid[i]));
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        assert_false(an_utf8_valid(invalid[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_counted_and_aligned),
        cmocka_unit_test(the_nth_allocation_fails_once),
        cmocka_unit_test(impossible_sizes_fail),
        cmocka_unit_test(a_block_larger_than_the_memory_fails),
        cmocka_unit_test(an_overflowing_product_is_detected),
        cmocka_unit_test(an_error_may_quote_the_previous_one),
        cmocka_unit_test(philox_matches_the_published_vectors),
        cmocka_unit_test(threads_can_be_multiplied_for_a_while),
        cmocka_unit_test(numbers_depend_only_on_their_address),
        cmocka_unit_test(normals_have_mean_0_and_variance_1),
        cmocka_unit_test(a_permutation_contains_each_number_once),
        cmocka_unit_test(threads_are_as_many_as_the_system_permits),
        cmocka_unit_test(chunks_have_a_fixed_size),
        cmocka_unit_test(utf8_is_recognised),
        cmocka_unit_test(a_loop_below_the_threshold_is_one_chunk),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
