/* preconditions: a call that violates a precondition of a header aborts, and names the
 * precondition. Those of tape, tensors, files and the store are in the tests of these. */
#include "aborts.h"
#include "arrays.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/memory/lua_alloc.h"
#include "base/memory/tensor_heap.h"
#include "data/augment.h"
#include "data/class_groups.h"
#include "data/npy.h"
#include "data/split.h"
#include "data/synthetic/lesions.h"
#include "kernel/attention/attention.h"
#include "kernel/common/carve.h"
#include "kernel/common/prefetch.h"
#include "kernel/common/transpose.h"
#include "kernel/conv/conv.h"
#include "kernel/conv/winograd_map.h"
#include "kernel/conv/winograd_stride2_tile.h"
#include "kernel/conv/winograd_tile.h"
#include "kernel/matmul/gemm.h"
#include "kernel/matmul/linear.h"
#include "kernel/matmul/packed.h"
#include "kernel/norm/batch_norm.h"
#include "kernel/pointwise/broadcast.h"
#include "kernel/pointwise/diffusion.h"
#include "kernel/pointwise/embed.h"
#include "kernel/pointwise/optimizer_step.h"
#include "model/init.h"

/* Sufficient memory for the calls that return although their precondition is violated. */
static float room[4096], other[4096];

static void attend_into(float *out, float *q, float *k, float *v)
{
    an_k_attention_forward(out, q, k, v, &(an_attention_shape){1, 1, 2, 3, 1, 4});
}

static void attention_over_its_queries(void)
{
    attend_into(room + 4, room, other, other + 64);
}

static void attention_over_its_keys(void)
{
    attend_into(room + 4, other, room, other + 64);
}

static void attention_over_its_values(void)
{
    attend_into(room + 4, other, other + 64, room);
}

static void attention_gradient_with_another_beta(void)
{
    an_attention_grads g = {.dq = room, .beta_q = 0.5f};
    an_k_attention_backward(&g, other, other, other, other,
                            &(an_attention_shape){1, 1, 2, 3, 1, 4});
}

static void attention_gradients_shared_by_two_inputs(void)
{
    an_attention_grads g = {.dq = room, .dk = room, .beta_q = 1, .beta_k = 1};
    an_k_attention_backward(&g, other, other, other + 8, other,
                            &(an_attention_shape){1, 1, 2, 3, 1, 4});
}

static void relu_of_an_unknown_residual(void)
{
    an_batch_norm_saved saved = {
        .mean = other, .rstd = other, .gamma = other, .beta = other, .relu = true, .train = true};
    an_k_batch_norm_backward((an_batch_norm_grads){.dresidual = room}, other, other + 64, &saved, 2,
                             3);
}

static void embed_beyond_the_table(void)
{
    an_k_embed_forward(room, other, (int64_t[]){1, 3}, 2, 3, 4);
}

static void embed_gradient_beyond_the_table(void)
{
    an_k_embed_backward(room, other, (int64_t[]){-1}, 1, 3, 4);
}

static void transpose_to_short_rows(void)
{
    an_transpose(room, 9, other, 8, 9, 8);
}

static void transpose_from_short_rows(void)
{
    an_transpose(room, 16, other, 7, 9, 8);
}

static void prefetch_added_after_the_cut(void)
{
    an_prefetch list = {0};
    an_prefetch_cut(&list, 1);
    an_prefetch_add(&list, room, 16);
}

static void prefetch_never_cut(void)
{
    an_prefetch list = {0};
    an_prefetch_add(&list, other, 16);
    an_k_gemm_outer(room, 16, 1, 16, 1, other, 1, other, 16, false, &list);
}

static void pack_inside_a_parallel_region(void)
{
#pragma omp parallel num_threads(2)
    an_k_pack(room, false, other, 16, 1, 16);
}

static void trim_inside_a_parallel_region(void)
{
#pragma omp parallel num_threads(2)
    an_tensor_heap_trim();
}

static void lua_allocation_inside_a_parallel_region(void)
{
#pragma omp parallel num_threads(2)
    an_lua_alloc_resize(NULL, 0, 16);
}

static const float *at_zero[81] = {0};
static float *const to_zero[64] = {0};
static const void *nowhere[36] = {0};
static void *const to_nowhere[16] = {0};

static void tile_input_of_8_channels(void)
{
    an_k_tile_input(room, 16, nowhere, false, 8);
}

static void tile_gradient_of_8_channels(void)
{
    an_k_tile_gradient(room, 16, nowhere, false, 8);
}

static void tile_output_of_8_channels(void)
{
    an_k_tile_output(to_nowhere, room, 16, NULL, false, false, 8);
}

static void stride2_input_of_24_channels(void)
{
    an_k_stride2_input(room, 16, at_zero, 24);
}

static void stride2_gradient_of_24_channels(void)
{
    an_k_stride2_gradient(room, 16, at_zero, 24);
}

static void stride2_output_of_24_channels(void)
{
    an_k_stride2_output(to_zero, room, 16, NULL, 24);
}

static void stride2_data_of_24_channels(void)
{
    an_k_stride2_data(to_zero, room, 16, false, 24);
}

static void tiles_beyond_the_map(void)
{
    an_conv_shape s = an_k_conv_shape(1, 4, 4, 16, 16, 3, 3, 1, 1);
    an_tile_map map = an_k_tile_map(&s);
    an_k_tiles_in(room, 16, other, 0, map.tiles + 1, &map, other);
}

static void convolution_over_its_weights(void)
{
    an_conv_shape s = an_k_conv_shape(1, 2, 2, 1, 1, 1, 1, 1, 0);
    an_k_conv_forward(room, other, room + 3, NULL, &s);
}

static void convolution_over_its_bias(void)
{
    an_conv_shape s = an_k_conv_shape(1, 2, 2, 1, 1, 1, 1, 1, 0);
    an_k_conv_forward(room, other, other + 64, room + 3, &s);
}

static void convolution_gradient_over_its_weights(void)
{
    an_conv_shape s = an_k_conv_shape(1, 2, 2, 1, 1, 1, 1, 1, 0);
    an_k_conv_backward_data(room, other, room + 3, 0, &s);
}

static void weight_gradient_over_its_input(void)
{
    an_conv_shape s = an_k_conv_shape(1, 2, 2, 1, 1, 1, 1, 1, 0);
    an_k_conv_backward_weight(room + 3, other, room, &s);
}

static void product_over_its_operand(void)
{
    an_k_gemm(false, false, 2, 2, 2, 1, other, 2, room, 2, 0, room + 3, 2);
}

static void parallel_product_over_its_operand(void)
{
    an_k_gemm_par(true, false, 2, 2, 2, 1, room, 2, other, 2, 0, room + 3, 2);
}

static void packed_product_over_its_bias(void)
{
    an_packed b = {other, 1, 16};
    an_k_packed_product(room, 16, other + 64, 1, 1, &b, room + 15, false, NULL);
}

static void linear_over_its_bias(void)
{
    an_k_linear_forward(room, other, other, room + 1, &(an_linear_shape){2, 2, 2});
}

static void linear_gradient_over_its_weights(void)
{
    an_linear_grads d = {.dx = room};
    an_k_linear_backward(&d, other, other, room + 1, &(an_linear_shape){2, 2, 2});
}

static void sum_over_its_operand(void)
{
    an_broadcast g = {1, {4}, {1}, {2}};
    an_k_binary_forward(AN_ADD, room + 6, other, room, &g);
}

static void reading_at_signal_0(void)
{
    an_diffusion_at at = {room, other, other};
    room[0] = 0;
    an_k_read_forward(AN_READ_Z0, AN_PREDICT_EPSILON, room + 64, other, other, at, 1);
}

static void adamw_moments_over_the_gradient(void)
{
    an_k_adamw(room, other, other + 1, room + 64, 4, &(an_adamw_args){.t = 1});
}

static void sgd_momentum_over_the_gradient(void)
{
    an_k_sgd(room, other, other + 1, 4, &(an_sgd_args){.momentum = 0.9});
}

static void more_threads_than_can_be_requested(void)
{
    an_set_threads(AN_THREADS_MOST + 1);
}

static void a_negative_number_of_blocks(void)
{
    an_div_up(-1, 4);
}

static void augment_by_a_shift_too_large(void)
{
    static const uint8_t picture[3] = {0};
    static const float mean[3] = {0}, std[3] = {1, 1, 1};
    an_augment_image(&(an_augment){.shift = AN_AUGMENT_FARTHEST + 1}, (an_address){0}, picture, 1,
                     1, mean, std, room);
}

static void groups_of_a_negative_count(void)
{
    an_shot shot[1];
    an_class_groups((double[]){-1}, (const char *[]){"a"}, 1,
                    &(an_group_rule){.head = 1, .tail = 1}, shot);
}

static void element_beyond_an_array(void)
{
    an_npy_at(&(an_npy){.bytes = 1, .elements = 3}, (const uint8_t *)room, 3);
}

static void fold_of_an_image_without_one(void)
{
    an_item item = {.key = "a", .class_name = "x"};
    an_listing list = {.items = &item, .n = 1, .sealed = true};
    an_split_of_fold(&list, 2, 0, 0, 1);
}

static void traits_of_an_eighth_class(void)
{
    float traits[AN_TRAITS];
    an_lesion_traits(traits, AN_LESION_CLASSES, 0, 0);
}

static void identity_of_images_without_a_hash(void)
{
    char hex[AN_SHA256_HEX];
    an_item item = {.key = "a", .class_name = "x"};
    an_listing list = {.items = &item, .n = 1, .sealed = true};
    an_listing_hash(&list, true, hex);
}

static void initial_values_of_negative_deviation(void)
{
    an_init_normal(-1);
}

static void initial_values_between_reversed_ends(void)
{
    an_init_uniform(1, 0);
}

#define VIOLATION(act, condition)                                                                  \
    {                                                                                              \
#act, act, condition                                                                       \
    }
static const struct {
    const char *name;
    void (*act)(void);
    const char *condition; /* a part of the assertion's text */
} violations[] = {
    VIOLATION(attention_over_its_queries, "an_disjoint(out, query_floats(s), q"),
    VIOLATION(attention_over_its_keys, "an_disjoint(out, query_floats(s), q"),
    VIOLATION(attention_over_its_values, "an_disjoint(out, query_floats(s), q"),
    VIOLATION(attention_gradient_with_another_beta, "is_beta(g->dq"),
    VIOLATION(attention_gradients_shared_by_two_inputs, "may_share(g->dq, g->dk"),
    VIOLATION(relu_of_an_unknown_residual, "saved->y || !d.dresidual"),
    VIOLATION(embed_beyond_the_table, "are_indices(index, n, V)"),
    VIOLATION(embed_gradient_beyond_the_table, "are_indices(index, n, V)"),
    VIOLATION(transpose_to_short_rows, "ldt >= an_round_up(rows, 16)"),
    VIOLATION(transpose_from_short_rows, "ldf >= cols"),
    VIOLATION(prefetch_added_after_the_cut, "!list->cut"),
    VIOLATION(prefetch_never_cut, "list->cut"),
    VIOLATION(pack_inside_a_parallel_region, "!omp_in_parallel()"),
    VIOLATION(trim_inside_a_parallel_region, "!omp_in_parallel()"),
    VIOLATION(lua_allocation_inside_a_parallel_region, "!omp_in_parallel()"),
    VIOLATION(tile_input_of_8_channels, "channels % AN_LANES == 0"),
    VIOLATION(tile_gradient_of_8_channels, "channels % AN_LANES == 0"),
    VIOLATION(tile_output_of_8_channels, "channels % AN_LANES == 0"),
    VIOLATION(stride2_input_of_24_channels, "channels % AN_LANES == 0"),
    VIOLATION(stride2_gradient_of_24_channels, "channels % AN_LANES == 0"),
    VIOLATION(stride2_output_of_24_channels, "channels % AN_LANES == 0"),
    VIOLATION(stride2_data_of_24_channels, "channels % AN_LANES == 0"),
    VIOLATION(tiles_beyond_the_map, "hi <= map->tiles"),
    VIOLATION(convolution_over_its_weights, "an_disjoint(y, output_floats(s)"),
    VIOLATION(convolution_over_its_bias, "an_disjoint(y, output_floats(s)"),
    VIOLATION(convolution_gradient_over_its_weights, "an_disjoint(dx, input_floats(s)"),
    VIOLATION(weight_gradient_over_its_input, "an_disjoint(dw, weight_floats(s)"),
    VIOLATION(product_over_its_operand, "is_apart("),
    VIOLATION(parallel_product_over_its_operand, "an_k_gemm_par: assertion failed: is_apart("),
    VIOLATION(packed_product_over_its_bias, "bias, B->N"),
    VIOLATION(linear_over_its_bias, "an_disjoint(y, rows * out, b, out)"),
    VIOLATION(linear_gradient_over_its_weights, "an_disjoint(d->dx, rows * in, w"),
    VIOLATION(sum_over_its_operand, "an_disjoint(y, elements(g)"),
    VIOLATION(reading_at_signal_0, "can_be_read"),
    VIOLATION(adamw_moments_over_the_gradient, "an_disjoint(g, n, m, n)"),
    VIOLATION(sgd_momentum_over_the_gradient, "an_disjoint(buf, n, g, n)"),
    VIOLATION(more_threads_than_can_be_requested, "n <= AN_THREADS_MOST"),
    VIOLATION(a_negative_number_of_blocks, "n >= 0 && d >= 1"),
    VIOLATION(augment_by_a_shift_too_large, "how->shift <= AN_AUGMENT_FARTHEST"),
    VIOLATION(groups_of_a_negative_count, "n[j] >= 0"),
    VIOLATION(element_beyond_an_array, "i < npy->elements"),
    VIOLATION(fold_of_an_image_without_one, "fold >= 1"),
    VIOLATION(traits_of_an_eighth_class, "label < AN_LESION_CLASSES"),
    VIOLATION(identity_of_images_without_a_hash, "an_listing_hashed(list)"),
    VIOLATION(initial_values_of_negative_deviation, "deviation >= 0"),
    VIOLATION(initial_values_between_reversed_ends, "low <= high"),
};

static void every_precondition_is_asserted(void **state)
{
    (void)state;
    char text[1024];
#ifndef AN_CHECKED
    bool before = an_slow_assertions;
    an_slow_assertions = true;
#endif
    for (size_t i = 0; i < sizeof violations / sizeof *violations; i++) {
        int status = status_of(violations[i].act, text, sizeof text);
        if (!WIFSIGNALED(status) || !strstr(text, violations[i].condition))
            fail_msg("%s: status %d, printed '%s'", violations[i].name, status, text);
    }
#ifndef AN_CHECKED
    an_slow_assertions = before;
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_precondition_is_asserted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
