/* tensor: shapes, views, copies, scopes, the pool of storages, text. */
#include "aborts.h"
#include "arrays.h"
#include "base/integer.h"
#include "base/memory/tensor_heap.h"

#include "tensor/print.h"
#include "tensor/scope.h"

#define SHAPE(...)                                                                                 \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[])                         \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static an_tensor *counting(int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    for (int64_t i = 0; i < an_numel(x); i++)
        an_f32(x)[i] = (float)i;
    return x;
}

/* Every test frees all tensors that it creates. */
static int setup(void **state)
{
    an_tensor_trim();
    *state = (void *)(intptr_t)an_mem_live();
    return 0;
}

static int teardown(void **state)
{
    an_scope_end(0, NULL);
    an_tensor_trim();
    return an_mem_live() == (int64_t)(intptr_t)*state ? 0 : -1;
}

static void views_share_and_copies_do_not(void **state)
{
    (void)state;
    an_tensor *x = counting(SHAPE(2, 3, 4));
    an_tensor *t = an_view_transpose(x, (int[]){2, 0, 1}); /* (4, 2, 3) */
    assert_false(an_is_contiguous(t));
    an_tensor *y = an_tensor_like(t);
    assert_int_equal(an_copy(y, t), AN_OK);
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 2; b++)
            for (int c = 0; c < 3; c++)
                assert_true(an_f32(y)[(a * 2 + b) * 3 + c] == an_f32(x)[(b * 3 + c) * 4 + a]);
    an_tensor *part = an_view_narrow(x, 1, 1, 2);
    an_f32(part)[0] = -5;
    assert_true(an_f32(x)[4] == -5);
    assert_true(an_f32(y)[1 * 1] == an_f32(y)[1]);
}

static void expand_repeats_without_memory(void **state)
{
    (void)state;
    an_tensor *row = counting(SHAPE(3));
    an_tensor *expanded = an_view_expand(row, SHAPE(4, 3));
    an_tensor *y = an_tensor_like(expanded);
    assert_int_equal(an_copy(y, expanded), AN_OK);
    for (int i = 0; i < 12; i++)
        assert_true(an_f32(y)[i] == (float)(i % 3));
    assert_null(an_view_expand(row, SHAPE(3, 4)));
    assert_int_equal(an_err_code(), AN_EINVAL);
}

static void wrong_shapes_are_errors(void **state)
{
    (void)state;
    an_tensor *x = counting(SHAPE(2, 3));
    assert_null(an_view_reshape(x, SHAPE(4, 2)));
    assert_null(an_view_reshape(x, SHAPE(-1, -1)));
    assert_null(an_view_narrow(x, 1, 2, 2));
    assert_null(an_view_narrow(x, 5, 0, 1));
    assert_null(an_view_transpose(x, (int[]){0, 0}));
    assert_null(an_tensor_new(AN_F32, 7, (int64_t[]){1, 1, 1, 1, 1, 1, 1}));
    assert_null(an_tensor_new(AN_F32, SHAPE(-1)));
    assert_null(an_tensor_new(AN_F32, SHAPE(INT64_MAX / 4, 8)));
    assert_null(an_tensor_new(AN_F32, SHAPE(AN_COUNT_MAX + 1)));
    assert_null(an_tensor_new(AN_F32, SHAPE(0, AN_COUNT_MAX, 2))); /* its strides */
    assert_string_equal(an_err_message(), "a tensor of shape (0, 2147483647, 2) has more than the "
                                          "largest number of elements, 2147483647");
    an_tensor *row = counting(SHAPE(6));
    assert_null(an_view_reshape(row, SHAPE(INT64_MAX, 3)));
    assert_null(an_view_reshape(row, SHAPE(6, INT64_MIN)));
    assert_null(an_view_narrow(row, 0, 1, INT64_MAX));
    assert_null(an_view_narrow(row, 0, INT64_MAX, 1));
    assert_null(an_tensor_view(x->storage, AN_F32, 5, SHAPE(2)));
    assert_int_equal(an_expect(x, "logits", AN_I64, 1), AN_EINVAL);
    assert_string_equal(an_err_message(),
                        "logits: expected int64 with 1 dimensions, got float32 (2, 3)");
    an_tensor *open = an_view_reshape(x, SHAPE(3, -1));
    assert_int_equal(open->shape[1], 2);
}

static void dtypes_convert_in_copies(void **state)
{
    (void)state;
    an_tensor *x = an_tensor_from((float[]){1.75f, -2.5f}, SHAPE(2));
    an_tensor *i = an_tensor_new(AN_I64, SHAPE(2)), *back = an_tensor_like(x);
    assert_int_equal(an_copy(i, x), AN_OK);
    assert_int_equal(an_i64(i)[0], 1);
    assert_int_equal(an_i64(i)[1], -2);
    assert_int_equal(an_copy(back, i), AN_OK);
    assert_true(an_f32(back)[1] == -2.0f);
}

static void a_scope_keeps_one_tensor(void **state)
{
    (void)state;
    size_t outer = an_scope_begin();
    size_t inner = an_scope_begin();
    an_tensor *gone = counting(SHAPE(5)), *kept = counting(SHAPE(6));
    (void)gone;
    kept = an_scope_end(inner, kept);
    assert_int_equal(kept->refs, 1);
    assert_true(an_f32(kept)[5] == 5);
    an_retain(kept);
    an_scope_end(outer, NULL);
    assert_true(an_f32(kept)[5] == 5);
    an_release(kept);
}

static void released_storage_is_reused(void **state)
{
    (void)state;
    size_t mark = an_scope_begin();
    counting(SHAPE(1000));
    an_scope_end(mark, NULL);
    if (an_tensor_heap_spare() == 0)
        skip(); /* with AddressSanitizer, no storage is pooled */
    int64_t allocs = an_mem_allocs();
    mark = an_scope_begin();
    counting(SHAPE(1000));
    assert_int_equal(an_tensor_heap_spare(), 0);
    an_scope_end(mark, NULL);
    assert_int_equal(an_mem_allocs(), allocs);
}

/* ── contracts ────────────────────────────────────────────────────────────────────── */

static void end_scopes_out_of_order(void)
{
    size_t outer = an_scope_begin();
    counting(SHAPE(2));
    size_t inner = an_scope_begin();
    an_scope_end(outer, NULL);
    an_scope_end(inner, NULL);
}

static void floats_of_an_int64_tensor(void)
{
    an_f32(an_tensor_zeros(AN_I64, SHAPE(2)));
}

static void elements_of_a_tensor_without_storage(void)
{
    size_t mark = an_scope_begin();
    an_tensor *x = counting(SHAPE(2));
    an_retain_shape(x);
    an_scope_end(mark, NULL);
    an_f32(x);
}

static void copy_into_repeated_elements(void)
{
    an_tensor *x = counting(SHAPE(2, 3));
    an_copy(an_view_expand(counting(SHAPE(3)), SHAPE(2, 3)), x);
}

static void release_too_often(void)
{
    an_tensor *x = counting(SHAPE(2));
    an_retain_shape(x);
    an_release(x);
    an_release(x);
}

static void dimension_out_of_range(void)
{
    an_dim(counting(SHAPE(2)), 1);
}

static void violated_contracts_of_callers_are_asserted(void **state)
{
    (void)state;
    assert_true(aborts(end_scopes_out_of_order));
    assert_true(aborts(floats_of_an_int64_tensor));
    assert_true(aborts(elements_of_a_tensor_without_storage));
    assert_true(aborts(copy_into_repeated_elements));
    assert_true(aborts(release_too_often));
    assert_true(aborts(dimension_out_of_range));
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (int nth = 1; nth <= 4; nth++) {
        an_tensor_trim();
        an_mem_fail_at(nth);
        size_t mark = an_scope_begin();
        an_tensor *x = an_tensor_zeros(AN_F32, SHAPE(10));
        an_mem_fail_at(0);
        if (!x)
            assert_int_equal(an_err_code(), AN_ENOMEM);
        else
            assert_int_equal(nth,
                             4); /* struct, data and tensor; the scope's stack may exist already */
        an_scope_end(mark, NULL);
        an_scope_end(0, NULL);
    }
}

static void text_shows_type_shape_and_elements(void **state)
{
    (void)state;
    char *text = an_tensor_text(counting(SHAPE(3)));
    assert_string_equal(text, "Tensor float32 (3,)  [0 1 2]");
    an_free(text);
    an_tensor *big = counting(SHAPE(20, 30));
    an_f32(big)[7] = NAN;
    text = an_tensor_text(big);
    assert_non_null(strstr(text, "(20, 30)"));
    assert_non_null(strstr(text, "max 599"));
    assert_non_null(strstr(text, "(1 not finite)"));
    an_free(text);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(views_share_and_copies_do_not),
        TEST(expand_repeats_without_memory),
        TEST(wrong_shapes_are_errors),
        TEST(dtypes_convert_in_copies),
        TEST(a_scope_keeps_one_tensor),
        TEST(released_storage_is_reused),
        TEST(every_allocation_may_fail),
        TEST(violated_contracts_of_callers_are_asserted),
        TEST(text_shows_type_shape_and_elements),
    };
    return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
