/* assert: a true condition prints nothing; a false one prints its source line and text and aborts
 * the process; slow conditions are evaluated only where they are enabled. The preconditions of the
 * engine are violated in test_preconditions.c. */
#include "aborts.h"
#include "arrays.h"

#include <stdio.h>

#include "base/assert.h"
#include "kernel/common/carve.h"
#include "kernel/conv/conv.h"

static void satisfy(void)
{
    AN_ASSERT(1 + 1 == 2);
    AN_ASSERT_SLOW(1 + 1 == 2);
}

static void violate(void)
{
    int rows = -3;
    AN_ASSERT(rows >= 0);
}

static void call_a_kernel_wrongly(void)
{
    float x[4] = {0}, w[1] = {0}, y[4];
    an_conv_shape s = an_k_conv_shape(1, 2, 2, 1, 1, 1, 1, 1, 0);
    s.Ho = 7;
    an_k_conv_forward(y, x, w, NULL, &s);
}

static void declare_a_part_after_taking(void)
{
    an_carve c = {0};
    an_carve_shared(&c, 1, 1);
    if (an_carve_take(&c) == AN_OK)
        an_carve_shared(&c, 1, 1);
}

static void a_true_condition_is_silent(void **state)
{
    (void)state;
    char text[512];
    assert_int_equal(status_of(satisfy, text, sizeof text), 0);
    assert_string_equal(text, "");
}

static void a_false_condition_prints_itself_and_aborts(void **state)
{
    (void)state;
    char text[512];
    int status = status_of(violate, text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "tests/c/test_assert.c:"));
    assert_non_null(strstr(text, ": violate: assertion failed: rows >= 0"));
}

static void a_kernel_asserts_that_its_shape_is_consistent(void **state)
{
    (void)state;
    char text[512];
    assert_true(WIFSIGNALED(status_of(call_a_kernel_wrongly, text, sizeof text)));
    assert_non_null(strstr(text, "kernel/conv/conv.c:"));
}

static void call_order_is_asserted(void **state)
{
    (void)state;
    char text[512];
    assert_true(WIFSIGNALED(status_of(declare_a_part_after_taking, text, sizeof text)));
    assert_non_null(strstr(text, "an_carve_shared: assertion failed: !c->base"));
}

static void slow_conditions_are_evaluated_only_when_enabled(void **state)
{
    (void)state;
    int evaluated = 0;
    AN_ASSERT_SLOW(++evaluated);
    assert_int_equal(evaluated, an_slow_assertions ? 1 : 0);
#ifndef AN_CHECKED
    bool before = an_slow_assertions;
    an_slow_assertions = true;
    AN_ASSERT_SLOW(++evaluated);
    an_slow_assertions = before;
    assert_int_equal(evaluated, before ? 2 : 1);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_condition_is_silent),
        cmocka_unit_test(a_false_condition_prints_itself_and_aborts),
        cmocka_unit_test(a_kernel_asserts_that_its_shape_is_consistent),
        cmocka_unit_test(call_order_is_asserted),
        cmocka_unit_test(slow_conditions_are_evaluated_only_when_enabled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
