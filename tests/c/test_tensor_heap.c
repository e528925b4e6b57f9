/* tensor_heap: blocks do not overlap, free neighbours merge, and a repeated step allocates no
 * new memory. */
#include "arrays.h"

#include "base/memory/tensor_heap.h"
#include "base/sanitizer.h"

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

static void blocks_do_not_overlap(void **state)
{
    (void)state;
    enum { N = 200, ROUNDS = 5000 };
    unsigned char *block[N] = {0};
    size_t size[N] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        int i = (int)an_below(1, 1, (uint64_t)round, N);
        unsigned char mark = (unsigned char)i;
        for (size_t k = 0; block[i] && k < size[i]; k += 61)
            assert_int_equal(block[i][k], mark);
        an_tensor_heap_release(block[i]);
        size[i] = (size_t)an_below(1, 2, (uint64_t)round, round % 3 ? 3000 : 300000);
        block[i] = an_tensor_heap_take(size[i]);
        assert_non_null(block[i]);
        assert_int_equal((uintptr_t)block[i] % 64, 0);
        memset(block[i], mark, size[i]);
    }
    for (int i = 0; i < N; i++)
        an_tensor_heap_release(block[i]);
}

/* Allocates as a training step does: activations of decreasing size, freed in reverse order between
 * allocations of gradients. */
static void step(void)
{
    void *saved[40], *gradient = NULL;
    for (int i = 0; i < 40; i++) {
        void *passing = an_tensor_heap_take(500000);
        saved[i] = an_tensor_heap_take((size_t)(4000000 - 90000 * i));
        assert_non_null(saved[i]);
        an_tensor_heap_release(passing);
    }
    for (int i = 39; i >= 0; i--) {
        void *next = an_tensor_heap_take((size_t)(4000000 - 90000 * i));
        assert_non_null(next);
        an_tensor_heap_release(gradient);
        an_tensor_heap_release(saved[i]);
        gradient = next;
    }
    an_tensor_heap_release(gradient);
}

static void a_repeated_step_allocates_no_new_memory(void **state)
{
    (void)state;
    if (!AN_REUSES_MEMORY)
        skip();
    step();
    int64_t allocs = an_mem_allocs();
    for (int i = 0; i < 3; i++)
        step();
    assert_int_equal(an_mem_allocs(), allocs);
    assert_true(an_tensor_heap_most() > 80000000 && an_tensor_heap_most() < 100000000);
}

static void free_neighbours_merge(void **state)
{
    (void)state;
    if (!AN_REUSES_MEMORY)
        skip();
    for (int order = 0; order < 6; order++) { /* in which three neighbours are freed */
        void *a = an_tensor_heap_take(1 << 20), *b = an_tensor_heap_take(1 << 20),
             *c = an_tensor_heap_take(1 << 20);
        void *last = an_tensor_heap_take(1 << 20), *all[3] = {a, b, c};
        int first = order / 2, second = (first + 1 + order % 2) % 3;
        an_tensor_heap_release(all[first]);
        an_tensor_heap_release(all[second]);
        an_tensor_heap_release(all[3 - first - second]);
        void *whole = an_tensor_heap_take(3 << 20);
        assert_ptr_equal(whole, a);
        an_tensor_heap_release(whole);
        an_tensor_heap_release(last);
    }
}

static void any_request_can_fail(void **state)
{
    (void)state;
    const size_t sizes[] = {10, 1 << 20};
    for (int i = 0; i < COUNT(sizes); i++) {
        an_tensor_heap_release(an_tensor_heap_take(sizes[i]));
        an_err_clear();
        an_mem_fail_at(1);
        assert_null(an_tensor_heap_take(sizes[i]));
        assert_int_equal(an_err_code(), AN_ENOMEM);
        void *next = an_tensor_heap_take(sizes[i]);
        assert_non_null(next);
        an_tensor_heap_release(next);
    }
    assert_null(an_tensor_heap_take(SIZE_MAX - 100));
}

static void used_memory_is_not_trimmed(void **state)
{
    (void)state;
    char *kept = an_tensor_heap_take(100000), *small = an_tensor_heap_take(100);
    memset(kept, 5, 100000);
    memset(small, 6, 100);
    an_tensor_heap_release(an_tensor_heap_take(300 << 20)); /* in a segment of its own */
    int64_t before = an_mem_live();
    an_tensor_heap_trim();
    assert_true(!AN_REUSES_MEMORY || an_mem_live() < before);
    assert_int_equal(kept[99999], 5);
    assert_int_equal(small[99], 6);
    an_tensor_heap_release(kept);
    an_tensor_heap_release(small);
    an_tensor_heap_trim();
    assert_int_equal(an_tensor_heap_spare(), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(blocks_do_not_overlap),      TEST(a_repeated_step_allocates_no_new_memory),
        TEST(free_neighbours_merge),      TEST(any_request_can_fail),
        TEST(used_memory_is_not_trimmed),
    };
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
