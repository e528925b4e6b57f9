/* scratch: the stack of every thread, sized by its first use, counted and refusable. */
#include "arrays.h"

#include <pthread.h>

#include "base/scratch.h"

static int64_t live;

static int starts_empty(void **state)
{
    (void)state;
    an_scratch_trim();
    live = an_mem_live();
    return 0;
}

static int ends_empty(void **state)
{
    (void)state;
    an_scratch_trim();
    return an_mem_live() == live ? 0 : -1;
}

/* What a kernel does that calls another: 100 bytes, then `inner` twice. */
static void nested_call(size_t inner)
{
    unsigned char *outer = an_scratch_take(100);
    assert_non_null(outer);
    memset(outer, 7, 100);
    for (int i = 0; i < 2; i++) {
        unsigned char *more = an_scratch_take(inner);
        assert_non_null(more);
        assert_int_equal((uintptr_t)more % 64, 0);
        memset(more, 9, inner);
        an_scratch_give(more);
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(outer[i], 7);
    an_scratch_give(outer);
}

static void a_warm_call_touches_no_heap(void **state)
{
    (void)state;
    nested_call(100000);
    nested_call(100000); /* the one block for all */
    if (an_mem_live() == live)
        skip(); /* built with AddressSanitizer: nothing is kept */
    int64_t allocs = an_mem_allocs(), kept = an_mem_live();
    for (int i = 0; i < 10; i++)
        nested_call(i % 2 ? 100000 : 50);
    assert_int_equal(an_mem_allocs(), allocs);
    assert_int_equal(an_mem_live(), kept);
    assert_true(kept - live < 101000); /* one block, not the sum of the first call's */
}

static void giving_the_first_gives_what_came_after(void **state)
{
    (void)state;
    void *first = an_scratch_take(64);
    assert_non_null(an_scratch_take(5000)); /* in a block of its own */
    assert_non_null(an_scratch_take(10));
    an_scratch_give(first);
    an_scratch_give(NULL);
    an_scratch_trim(); /* trims only when nothing is lent */
    assert_int_equal(an_mem_live(), live);
}

static void what_is_lent_is_not_trimmed(void **state)
{
    (void)state;
    char *lent = an_scratch_take(1000);
    memset(lent, 3, 1000);
    an_scratch_trim();
    assert_true(an_mem_live() > live);
    assert_int_equal(lent[999], 3);
    an_scratch_give(lent);
}

static void a_warm_request_can_be_refused_too(void **state)
{
    (void)state;
    nested_call(1000);
    nested_call(1000);
    void *first = an_scratch_take(100);
    an_err_clear();
    an_mem_fail_at(1);
    assert_null(an_scratch_take(100));
    assert_int_equal(an_err_code(), AN_ENOMEM);
    void *next = an_scratch_take(100);
    assert_non_null(next); /* only the one */
    assert_ptr_not_equal(first, next);
    an_scratch_give(first);
}

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    for (size_t less = 0; less <= 256; less += 32) {
        an_err_clear();
        assert_null(an_scratch_take(SIZE_MAX - less));
        assert_int_equal(an_err_code(), AN_ENOMEM);
    }
    nested_call(10);
}

/* Fills its part, meets the other threads' work meanwhile, and sums the part. */
static void own_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    int64_t *sums = context;
    int64_t *part = an_scratch_take(sizeof(int64_t) * (size_t)(hi - lo));
    for (int64_t i = lo; part && i < hi; i++)
        part[i - lo] = i;
    for (int64_t i = lo; part && i < hi; i++)
        sums[chunk] += part[i - lo];
    an_scratch_give(part);
}

static void every_thread_has_its_own(void **state)
{
    (void)state;
    enum { N = 100000, GRAIN = 1000 };
    int64_t sums[N / GRAIN] = {0};
    an_set_threads(4);
    an_par_for(N, GRAIN, own_part, sums);
    an_set_threads(0);
    for (int64_t chunk = 0; chunk < N / GRAIN; chunk++)
        assert_int_equal(sums[chunk], chunk * GRAIN * GRAIN + (int64_t)GRAIN * (GRAIN - 1) / 2);
    an_scratch_trim(); /* this thread's block; the others of the team keep theirs */
    live = an_mem_live();
}

static void *take_and_end(void *unused)
{
    (void)unused;
    void *lent = an_scratch_take(1000);
    an_scratch_take(10000); /* never given back: the end of the thread does */
    return lent;
}

static void a_thread_that_ends_leaves_nothing(void **state)
{
    (void)state;
    pthread_t thread;
    void *lent;
    assert_int_equal(pthread_create(&thread, NULL, take_and_end, NULL), 0);
    assert_int_equal(pthread_join(thread, &lent), 0);
    assert_non_null(lent);
    assert_int_equal(an_mem_live(), live);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, starts_empty, ends_empty)
    const struct CMUnitTest tests[] = {
        TEST(a_warm_call_touches_no_heap),
        TEST(giving_the_first_gives_what_came_after),
        TEST(what_is_lent_is_not_trimmed),
        TEST(a_warm_request_can_be_refused_too),
        TEST(impossible_sizes_are_refused),
        TEST(every_thread_has_its_own),
        TEST(a_thread_that_ends_leaves_nothing),
    };
    return cmocka_run_group_tests_name("scratch", tests, NULL, NULL);
}
