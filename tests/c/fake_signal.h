/* fake_signal: a "signal" that comes at the n-th question of a loop (base/stop.h), so that a test
 * does not depend on time. */
#ifndef AN_TESTS_FAKE_SIGNAL_H
#define AN_TESTS_FAKE_SIGNAL_H

#include <stdatomic.h>

#include "base/stop.h"

static atomic_int questions, comes_at;

static int fake_signal(void)
{
    return atomic_fetch_add(&questions, 1) >= comes_at ? 15 : 0;
}

static void signal_at(int question)
{
    questions = 0;
    comes_at = question;
    an_stop_when(fake_signal);
}

static void assert_stopped(an_code code)
{
    an_stop_when(NULL);
    assert_int_equal(code, AN_ESTOPPED);
    assert_int_equal(an_err_code(), AN_ESTOPPED);
}

#endif
