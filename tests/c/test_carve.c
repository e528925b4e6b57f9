/* carve: parts do not overlap and start on cache lines, each thread has its own, an allocation
 * failure is reported, and the call order is asserted (tests/c/test_assert.c tests the failure). */
#include "arrays.h"

#include "kernel/common/carve.h"

static void parts_do_not_overlap(void **state)
{
    (void)state;
    an_carve c = {0};
    an_carve_part a = an_carve_shared(&c, 5, sizeof(float)), none = an_carve_shared(&c, 0, 1);
    an_carve_part b = an_carve_shared(&c, 33, 1), d = an_carve_shared(&c, 1, sizeof(double));
    assert_int_equal(an_carve_take(&c), AN_OK);
    char *first = an_carve_at(&c, a), *second = an_carve_at(&c, b), *third = an_carve_at(&c, d);
    assert_ptr_equal(an_carve_at(&c, none), second);
    assert_int_equal((uintptr_t)first % 64, 0);
    assert_int_equal(second - first, 64);
    assert_int_equal(third - second, 64);
    an_carve_release(&c);
    assert_null(c.base);
}

static void every_thread_has_its_own_parts(void **state)
{
    (void)state;
    an_set_threads(3);
    an_carve c = {0};
    an_carve_part shared = an_carve_shared(&c, 100, sizeof(int)),
                  own = an_carve_own(&c, 20, sizeof(int));
    assert_int_equal(an_carve_take(&c), AN_OK);
    int *all = an_carve_at(&c, shared), *part[3] = {0};
    all[99] = 99;
#pragma omp parallel num_threads(3)
    {
        int *mine = an_carve_at(&c, own);
        part[omp_get_thread_num()] = mine;
        for (int i = 0; i < 20; i++)
            mine[i] = omp_get_thread_num();
    }
    for (int thread = 0; thread < 3; thread++)
        for (int i = 0; part[thread] && i < 20; i++)
            assert_int_equal(part[thread][i], thread);
    assert_int_equal(all[99], 99);
    assert_ptr_equal(part[0], an_carve_at(&c, own));
    an_carve_release(&c);
    an_set_threads(0);
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    an_carve c = {0};
    an_carve_own(&c, 100, sizeof(float));
    an_mem_fail_at(1);
    assert_int_equal(an_carve_take(&c), AN_ENOMEM);
    assert_null(c.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_do_not_overlap),
        cmocka_unit_test(every_thread_has_its_own_parts),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests_name("carve", tests, NULL, NULL);
}
