/* assert: a true condition prints nothing; a false one prints its source line and text and aborts
 * the process; slow conditions are evaluated only where they are enabled. */
#include "arrays.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "kernel/common/carve.h"
#include "kernel/conv/conv.h"

/* Runs `act` in a child; returns its wait status and what it printed on stderr. */
static int status_of(void (*act)(void), char *text, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL); /* not cmocka's handler */
        dup2(ends[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(ends[1]);
    size_t filled = 0;
    for (ssize_t n; (n = read(ends[0], text + filled, size - 1 - filled)) > 0;)
        filled += (size_t)n;
    text[filled] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

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
