/* packed: the layout, both ways of packing, products against the definition in double at all
 * heights and widths of a tile, with and without bias and accumulation, and the same bits in any
 * block of rows. */
#include "arrays.h"

#include "base/simd.h"
#include "kernel/matmul/packed.h"

enum { ROWS = 26, COLS = 70, DEPTH = 37, LDY = COLS + 3, UNTOUCHED = 77 };

static float x[ROWS * DEPTH], w[COLS * DEPTH], b[DEPTH * COLS];
static float start[ROWS * LDY], y[ROWS * LDY], data[96 * DEPTH];

static int setup(void **state)
{
    (void)state;
    an_fill_normal(x, ROWS * DEPTH, 1, 1, 0);
    an_fill_normal(w, COLS * DEPTH, 1, 2, 0);
    an_fill_normal(start, ROWS * LDY, 1, 3, 0);
    for (int k = 0; k < DEPTH; k++)
        for (int c = 0; c < COLS; c++)
            b[k * COLS + c] = w[c * DEPTH + k];
    return 0;
}

static void fill_output(void)
{
    for (int i = 0; i < ROWS * LDY; i++)
        y[i] = UNTOUCHED;
}

/* y is the product in rows × cols (added to the old y if `accumulate`) and unchanged elsewhere. */
static void assert_product(int rows, int cols, int depth, const float *bias, bool accumulate)
{
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < LDY; c++) {
            double sum = (bias ? bias[c] : 0) + (accumulate ? UNTOUCHED : 0);
            for (int k = 0; k < depth; k++)
                sum += (double)x[r * DEPTH + k] * w[(c < COLS ? c : 0) * DEPTH + k];
            double expected = r < rows && c < cols ? sum : UNTOUCHED;
            if (!(fabs(y[r * LDY + c] - expected) < 2e-5))
                fail_msg("%d×%d, depth %d, at (%d, %d): got %.8g, expected %.8g", rows, cols, depth,
                         r, c, (double)y[r * LDY + c], expected);
        }
}

static void products_are_the_definition(void **state)
{
    (void)state;
    static const int widths[] = {1, 7, 8, 16, 17, 32, 48, 63, 64, 70};
    for (int rows = 1; rows <= ROWS; rows++)
        for (int i = 0; i < COUNT(widths); i++) {
            an_packed plain = an_k_pack(data, false, b, COLS, DEPTH, widths[i]);
            fill_output();
            an_k_packed_product(y, LDY, x, DEPTH, rows, &plain, NULL, false, NULL);
            assert_product(rows, widths[i], DEPTH, NULL, false);
            an_packed transposed = an_k_pack(data, true, w, DEPTH, 5, widths[i]);
            fill_output();
            an_k_packed_product(y, LDY, x, DEPTH, rows, &transposed, start, true, NULL);
            assert_product(rows, widths[i], 5, start, true);
        }
}

static void both_ways_of_packing_pad_with_zeros(void **state)
{
    (void)state;
    an_simd before = an_simd_level();
    for (an_simd level = AN_SIMD_BASELINE; level <= before; level++) {
        an_simd_limit(level);
        for (int N = 1; N <= COLS; N++)
            for (int transposed = 0; transposed < 2; transposed++) {
                memset(data, 0xff, sizeof data);
                an_k_pack(data, transposed, transposed ? w : b, transposed ? DEPTH : COLS, DEPTH,
                          N);
                for (int n = 0; n < an_round_up(N, AN_LANES); n++)
                    for (int k = 0; k < DEPTH; k++)
                        assert_true(data[an_packed_index(DEPTH, N, k, n)] ==
                                    (n < N ? w[n * DEPTH + k] : 0));
                uint32_t after;
                memcpy(&after, data + an_packed_floats(DEPTH, N), sizeof after);
                assert_int_equal(after, UINT32_MAX);
            }
    }
    an_simd_limit(before);
}

/* 12 kernels of (channel, tap) become rows (tap, channel), as in a convolution. */
static void rows_may_be_packed_in_another_order(void **state)
{
    (void)state;
    enum { TAPS = 9, CHANNELS = 4, KERNELS = 12, ALL = TAPS * CHANNELS };
    an_k_pack_permuted(data, AN_LANES, w, DEPTH, KERNELS, ALL, TAPS, CHANNELS);
    for (int t = 0; t < TAPS; t++)
        for (int c = 0; c < CHANNELS; c++)
            for (int n = 0; n < AN_LANES; n++)
                assert_true(data[(t * CHANNELS + c) * AN_LANES + n] ==
                            (n < KERNELS ? w[n * DEPTH + c * TAPS + t] : 0));
}

static void a_row_has_the_same_bits_in_any_block(void **state)
{
    (void)state;
    static float alone[LDY];
    an_packed packed = an_k_pack(data, true, w, DEPTH, DEPTH, COLS);
    for (int rows = 1; rows <= ROWS; rows++) {
        an_k_packed_product(y, LDY, x, DEPTH, rows, &packed, start, false, NULL);
        for (int r = 0; r < rows; r++) {
            an_k_packed_product(alone, LDY, x + r * DEPTH, DEPTH, 1, &packed, start, false, NULL);
            assert_memory_equal(alone, y + r * LDY, COLS * sizeof *y);
        }
    }
}

/* Prefetching stops at the end of the list; a list of several parts continues with the next part.
 */
static void prefetching_changes_no_bits(void **state)
{
    (void)state;
    static float alone[ROWS * LDY];
    an_packed packed = an_k_pack(data, true, w, DEPTH, DEPTH, COLS);
    fill_output();
    memcpy(alone, y, sizeof y);
    an_k_packed_product(alone, LDY, x, DEPTH, ROWS, &packed, NULL, false, NULL);
    an_prefetch list = {0};
    an_prefetch_add(&list, x, ROWS * DEPTH);
    an_prefetch_add(&list, x, 0);
    an_prefetch_add(&list, w, 5);
    assert_int_equal(list.parts, 2);
    an_prefetch_cut(&list, 3);
    an_k_packed_product(y, LDY, x, DEPTH, ROWS, &packed, NULL, false, &list);
    assert_int_equal(list.next, list.parts);
    assert_memory_equal(alone, y, sizeof y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(products_are_the_definition, setup),
        cmocka_unit_test_setup(both_ways_of_packing_pad_with_zeros, setup),
        cmocka_unit_test_setup(rows_may_be_packed_in_another_order, setup),
        cmocka_unit_test_setup(a_row_has_the_same_bits_in_any_block, setup),
        cmocka_unit_test_setup(prefetching_changes_no_bits, setup),
    };
    return cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
