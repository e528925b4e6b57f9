/* block against the definition in double: all heights and widths of a tile, packed and plain
 * columns, with and without a bias; and the same bits in any block of rows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kernel/matmul/block.h"

enum { ROWS = 26, COLS = 70, DEPTH = 37, LDY = COLS + 3, UNTOUCHED = 77 };

static float x[ROWS * DEPTH], w[COLS * DEPTH], b[DEPTH * COLS];
static float start[ROWS * LDY], y[ROWS * LDY], packed[96 * DEPTH];

static int setup(void **state)
{
    (void)state;
    an_fill_normal(x, ROWS * DEPTH, 1, 1, 0);
    an_fill_normal(w, COLS * DEPTH, 1, 2, 0);
    an_fill_normal(start, ROWS * LDY, 1, 3, 0);
    for (int k = 0; k < DEPTH; k++)
        for (int c = 0; c < COLS; c++)
            b[k * COLS + c] = w[c * DEPTH + k];
    for (int i = 0; i < ROWS * LDY; i++)
        y[i] = UNTOUCHED;
    return 0;
}

/* y is the product in rows × cols, untouched elsewhere. */
static void assert_product(int rows, int cols, int depth, const float *bias)
{
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < LDY; c++) {
            double sum = bias ? bias[c] : 0;
            for (int k = 0; k < depth; k++)
                sum += (double)x[r * DEPTH + k] * w[(c < COLS ? c : 0) * DEPTH + k];
            double want = r < rows && c < cols ? sum : UNTOUCHED;
            if (!(fabs(y[r * LDY + c] - want) < 2e-5))
                fail_msg("%d×%d, depth %d, at (%d, %d): got %.8g, want %.8g", rows, cols, depth, r,
                         c, (double)y[r * LDY + c], want);
        }
}

static void products_are_the_definition(void **state)
{
    static const int widths[] = {1, 7, 8, 16, 17, 32, 48, 63, 64, 70};
    for (int rows = 1; rows <= ROWS; rows++)
        for (int i = 0; i < 10; i++) {
            an_columns plain = an_k_columns(b, COLS);
            an_columns pack = an_k_pack(packed, w, DEPTH, COLS, DEPTH);
            setup(state);
            an_k_block(y, LDY, x, DEPTH, rows, plain, NULL, widths[i], DEPTH);
            assert_product(rows, widths[i], DEPTH, NULL);
            setup(state);
            an_k_block(y, LDY, x, DEPTH, rows, pack, start, widths[i], 5);
            assert_product(rows, widths[i], 5, start);
        }
}

static void packing_fills_up_with_zeros(void **state)
{
    (void)state;
    for (int out = 1; out <= COLS; out += 3) {
        memset(packed, 0xff, sizeof packed);
        an_columns p = an_k_pack(packed, w, DEPTH, out, DEPTH);
        for (int c = 0; c < (out + 15) / 16 * 16; c++)
            for (int k = 0; k < DEPTH; k++)
                assert_true(p.at[c / AN_PANEL * p.panel + k * p.row + c % AN_PANEL] ==
                            (c < out ? w[c * DEPTH + k] : 0));
    }
}

static void a_row_has_the_same_bits_in_any_block(void **state)
{
    (void)state;
    static float alone[LDY];
    an_columns pack = an_k_pack(packed, w, DEPTH, COLS, DEPTH);
    for (int rows = 1; rows <= ROWS; rows++) {
        an_k_block(y, LDY, x, DEPTH, rows, pack, start, COLS, DEPTH);
        for (int r = 0; r < rows; r++) {
            an_k_block(alone, LDY, x + r * DEPTH, DEPTH, 1, pack, start, COLS, DEPTH);
            assert_memory_equal(alone, y + r * LDY, COLS * sizeof *y);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(products_are_the_definition, setup),
        cmocka_unit_test_setup(packing_fills_up_with_zeros, setup),
        cmocka_unit_test_setup(a_row_has_the_same_bits_in_any_block, setup),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
