/* scratch: temporary blocks of the heap, released in stack order; injected allocation failures. */
#include "arrays.h"

#include "base/memory/tensor_heap.h"
#include "base/memory/scratch.h"

static int64_t live;

static int setup(void **state)
{
    (void)state;
    an_tensor_heap_trim();
    live = an_mem_live();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    an_tensor_heap_trim();
    return an_mem_live() == live ? 0 : -1;
}

/* Allocates as a kernel that calls another one does: 100 bytes, then `inner` twice. */
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
        an_scratch_release(more);
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(outer[i], 7);
    an_scratch_release(outer);
}

static void a_warm_call_allocates_nothing(void **state)
{
    (void)state;
    nested_call(50);
    nested_call(100000);
    if (an_mem_live() == live)
        skip(); /* with AddressSanitizer, no memory is kept */
    int64_t allocs = an_mem_allocs(), kept = an_mem_live();
    for (int i = 0; i < 10; i++)
        nested_call(i % 2 ? 100000 : 50);
    assert_int_equal(an_mem_allocs(), allocs);
    assert_int_equal(an_mem_live(), kept);
}

/* The next tensor reuses the memory of a released block. */
static void tensors_reuse_released_memory(void **state)
{
    (void)state;
    an_scratch_release(an_scratch_take(3 << 20));
    int64_t before = an_mem_live();
    void *tensor = an_tensor_heap_take(3 << 20);
    assert_non_null(tensor);
    assert_true(before == live || an_mem_live() == before);
    an_tensor_heap_release(tensor);
}

static void releasing_a_block_releases_the_later_ones(void **state)
{
    (void)state;
    void *first = an_scratch_take(64);
    assert_non_null(an_scratch_take(5000));
    assert_non_null(an_scratch_take(100000));
    an_scratch_release(first);
    an_scratch_release(NULL);
    an_tensor_heap_trim();
    assert_int_equal(an_mem_live(), live);
}

static void a_warm_request_can_fail_too(void **state)
{
    (void)state;
    nested_call(1000);
    void *first = an_scratch_take(100);
    an_err_clear();
    an_mem_fail_at(1);
    assert_null(an_scratch_take(100));
    assert_int_equal(an_err_code(), AN_ENOMEM);
    void *next = an_scratch_take(100);
    assert_non_null(next); /* only one request fails */
    assert_ptr_not_equal(first, next);
    an_scratch_release(first);
}

static void impossible_sizes_fail(void **state)
{
    (void)state;
    for (size_t less = 0; less <= 256; less += 32) {
        an_err_clear();
        assert_null(an_scratch_take(SIZE_MAX - less));
        assert_int_equal(an_err_code(), AN_ENOMEM);
    }
    nested_call(10);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_warm_call_allocates_nothing),
        TEST(tensors_reuse_released_memory),
        TEST(releasing_a_block_releases_the_later_ones),
        TEST(a_warm_request_can_fail_too),
        TEST(impossible_sizes_fail),
    };
    return cmocka_run_group_tests_name("scratch", tests, NULL, NULL);
}
