/* Tensors that a file keeps in 16 bits: rounding as the compiler's own half precision does it, the
 * range, and which tensors are narrowed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/safetensors.h"
#include "base/narrow_float.h"
#include "tensor/scope.h"

static char path[] = "/tmp/aniso-narrow-XXXXXX";

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Pseudo-random bits, so that all exponents, subnormals and ties occur. */
static uint32_t bits_of(uint32_t i)
{
    uint32_t x = i * 2654435761u;
    return i % 3 ? x ^ x >> 15 : x & 0xfffff000u; /* a third has few digits: ties */
}

static void test_half_precision(void **state)
{
    (void)state;
#ifdef __FLT16_MAX__
    for (uint32_t i = 0; i < 4000000; i++) {
        const float x = float_of(bits_of(i));
        const _Float16 expected = (_Float16)x;
        uint16_t bits, got = an_to_f16(x);
        memcpy(&bits, &expected, sizeof bits);
        if (isnan(x))
            assert_true((got & 0x7c00) == 0x7c00 && (got & 0x3ff));
        else
            assert_int_equal(got, bits);
    }
#endif
    assert_int_equal(an_to_f16(65519.996f), 0x7bff);
    assert_int_equal(an_to_f16(AN_F16_END), 0x7c00);
    assert_int_equal(an_to_f16(-0x1p-24f), 0x8001);
    assert_int_equal(an_to_f16(0x1p-25f), 0); /* a tie: to even */
    assert_int_equal(an_to_f16(0x1.000002p-25f), 1);
    assert_int_equal(an_to_f16(0x1.ffep-15f), 0x0400); /* a tie below the smallest normal number */
}

/* The nearer of the two neighbours in double precision, the even one of equals. */
static void test_bfloat16(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000000; i++) {
        const uint32_t bits = bits_of(i), below = bits & 0xffff0000u, above = below + 0x10000u;
        const float x = float_of(bits);
        const uint16_t got = an_to_bf16(x);
        if (isnan(x)) {
            assert_true((got & 0x7f80) == 0x7f80 && (got & 0x7f));
            continue;
        }
        const double up = isinf(float_of(above)) ? copysign(0x1p128, (double)x) : float_of(above);
        const double to_below = fabs((double)x - float_of(below)), to_above = fabs(up - (double)x);
        const bool takes_above = to_above < to_below || (to_above == to_below && (below >> 16 & 1));
        assert_int_equal(got, isinf(x) || !takes_above ? below >> 16 : above >> 16);
    }
}

static void test_matrices_are_narrowed(void **state)
{
    (void)state;
    for (an_store as = AN_STORE_F16; as <= AN_STORE_BF16; as++) {
        size_t mark = an_scope_begin();
        char written[AN_SHA256_HEX], read[AN_SHA256_HEX];
        const float values[] = {1, -2, 1.0f / 3, 0, 1e-3f, 100000.0f / 7};
        an_tensor *w = an_tensor_from(values, 2, (int64_t[]){2, 3});
        an_tensor *t = an_view_transpose(w, (int[]){1, 0});
        an_tensor *v = an_tensor_from(values, 1, (int64_t[]){6});
        an_tensor *n = an_tensor_zeros(AN_I64, 2, (int64_t[]){1, 1});
        an_named tensors[] = {
            {"w", w, false}, {"t", t, false}, {"v", v, false}, {"n", n, false}, {"e", w, true}};
        assert_int_equal(an_safetensors_write_named(path, tensors, 5, as, NULL, 0, written, NULL),
                         AN_OK);
        an_safetensors *f = an_safetensors_open(path);
        assert_non_null(f);
        assert_int_equal(an_safetensors_content(f, read), AN_OK);
        assert_string_equal(read, written);
        an_tensor *w2 = an_safetensors_read(f, an_safetensors_find(f, "w"));
        an_tensor *t2 = an_safetensors_read(f, an_safetensors_find(f, "t"));
        for (int i = 0; i < 6; i++) {
            const float bound = as == AN_STORE_F16 ? 0x1p-11f : 0x1p-8f;
            assert_true(fabsf(an_f32(w2)[i] - values[i]) <= bound * fabsf(values[i]));
            assert_true(an_f32(t2)[i % 2 * 1 + i / 2 * 2] == an_f32(w2)[i % 2 * 3 + i / 2]);
        }
        assert_true(an_f32(w2)[2] != values[2] && an_f32(w2)[1] == values[1]);
        assert_memory_equal(an_f32(an_safetensors_read(f, an_safetensors_find(f, "v"))), values,
                            sizeof values);
        assert_memory_equal(an_f32(an_safetensors_read(f, an_safetensors_find(f, "e"))), values,
                            sizeof values);
        assert_int_equal(an_safetensors_read(f, an_safetensors_find(f, "n"))->dtype, AN_I64);
        an_safetensors_close(f);
        an_scope_end(mark, NULL);
    }
}

static void test_a_number_out_of_range(void **state)
{
    (void)state;
    size_t mark = an_scope_begin();
    char hex[AN_SHA256_HEX];
    const float values[] = {1, -70000};
    an_tensor *w = an_tensor_from(values, 2, (int64_t[]){1, 2});
    an_named one = {"big", w, false};
    assert_int_equal(an_safetensors_write_named(path, &one, 1, AN_STORE_F16, NULL, 0, hex, NULL),
                     AN_EINVAL);
    assert_non_null(strstr(an_err_message(), "big has the number -70000"));
    assert_int_equal(an_safetensors_write_named(path, &one, 1, AN_STORE_BF16, NULL, 0, hex, NULL),
                     AN_OK);
    an_scope_end(mark, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_precision),
        cmocka_unit_test(test_bfloat16),
        cmocka_unit_test(test_matrices_are_narrowed),
        cmocka_unit_test(test_a_number_out_of_range),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
