/* Tilted class probabilities against the definition in double, and the vote that uses them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "diffusion/vote.h"

enum { B = 40, K = 5, R = 3 };

static void uniform(float *x, int n, const char *purpose)
{
    an_fill_uniform(x, n, 3, an_stream(purpose, 0, 0), 0);
}

static void test_a_tilt_is_its_definition(void **state)
{
    (void)state;
    const double kappa[K] = {-700, 0, 0.5, 700, 1.25};
    float x[B * K], out[B * K];
    uniform(x, B * K, "x");
    for (int b = 0; b < B; b++)
        x[b * K + 3] = 0; /* a factor that would overflow without the shift, of nothing */
    x[0] = -0.25f;
    assert_int_equal(an_tilt(B, K, kappa, x, out), AN_OK);
    for (int b = 0; b < B; b++) {
        double sum = 0, q[K];
        for (int j = 0; j < K; j++)
            sum += q[j] = fmax(x[b * K + j], 0) * exp(kappa[j] - 700);
        for (int j = 0; j < K; j++)
            assert_true(fabs(out[b * K + j] - q[j] / sum) < 1e-6);
    }
}

static void test_equal_kappas_normalise_only(void **state)
{
    (void)state;
    const double kappa[2] = {0.75, 0.75};
    const float x[6] = {1, 3, -1, -2, 0.5f, -4};
    const float expected[6] = {0.25f, 0.75f, 0.5f, 0.5f, 1, 0};
    float out[6];
    assert_int_equal(an_tilt(3, 2, kappa, x, out), AN_OK);
    assert_memory_equal(out, expected, sizeof out);
}

/* The tilt of a vote has the bits of the tilt of what the vote without it gives; width and
 * agreement are those of chains that were tilted one by one. */
static void test_a_tilted_vote_is_the_tilt_of_the_vote(void **state)
{
    (void)state;
    const double kappa[K] = {0.2, -0.4, 1.5, 0, 2};
    float y[B * R * K], plain[B * K], tilted[B * K], vote[B * K], width[B * K], agreement[B];
    float chain[B * R * K], tilted_chain[B * R * K], by_hand[B];
    uniform(y, B * R * K, "y");
    for (int kind = AN_VOTE_DISTANCE; kind <= AN_VOTE_PLAIN; kind++) {
        const an_vote_kind k = (an_vote_kind)kind;
        assert_int_equal(an_vote(k, 0.3, NULL, B, R, K, y, plain, NULL, NULL), AN_OK);
        assert_int_equal(an_tilt(B, K, kappa, plain, tilted), AN_OK);
        assert_int_equal(an_vote(k, 0.3, kappa, B, R, K, y, vote, width, agreement), AN_OK);
        assert_memory_equal(vote, tilted, sizeof vote);

        assert_int_equal(an_vote(k, 0.3, NULL, B * R, 1, K, y, chain, NULL, NULL), AN_OK);
        assert_int_equal(an_tilt(B * R, K, kappa, chain, tilted_chain), AN_OK);
        for (int b = 0; b < B; b++) {
            int same = 0, winner = 0;
            for (int j = 0; j < K; j++)
                winner = vote[b * K + j] > vote[b * K + winner] ? j : winner;
            for (int r = 0; r < R; r++) {
                const float *p = tilted_chain + (b * R + r) * K;
                int own = 0;
                for (int j = 0; j < K; j++)
                    own = p[j] > p[own] ? j : own;
                same += own == winner;
            }
            by_hand[b] = (float)same / R;
            assert_true(fabsf(agreement[b] - by_hand[b]) < 1e-6f);
            for (int j = 0; j < K; j++) {
                /* of three values the quantiles at 2.5 % and 97.5 % are 0.95 of the range apart */
                float low = 1, high = 0;
                for (int r = 0; r < R; r++) {
                    low = fminf(low, tilted_chain[(b * R + r) * K + j]);
                    high = fmaxf(high, tilted_chain[(b * R + r) * K + j]);
                }
                assert_true(fabsf(width[b * K + j] - 0.95f * (high - low)) < 1e-6f);
            }
        }
    }
}

static void refused(an_code code, const char *words)
{
    assert_int_equal(code, AN_EINVAL);
    if (!strstr(an_err_message(), words))
        fail_msg("“%s” does not contain “%s”", an_err_message(), words);
}

static void test_what_is_not_finite_is_refused(void **state)
{
    (void)state;
    const double bad[2] = {0, INFINITY}, good[2] = {0, 1};
    float x[4] = {1, 2, 3, NAN}, out[4];
    refused(an_tilt(1, 2, bad, x, out), "class 2 has the tilt inf");
    refused(an_tilt(2, 2, good, x, out), "row 2: nan");
    refused(an_tilt(0, 2, good, x, out), "0 rows");
    x[3] = 4;
    refused(an_vote(AN_VOTE_PLAIN, 1, bad, 2, 1, 2, x, out, NULL, NULL), "class 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tilt_is_its_definition),
        cmocka_unit_test(test_equal_kappas_normalise_only),
        cmocka_unit_test(test_a_tilted_vote_is_the_tilt_of_the_vote),
        cmocka_unit_test(test_what_is_not_finite_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
