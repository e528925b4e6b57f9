/* recompute: a network whose intermediates are recomputed has the same bits, needs less memory, and
 * leaves the running moments as one forward pass does. */
#include "networks.h"

#include "base/memory/tensor_heap.h"
#include "model/resnet.h"

typedef struct {
    float *gradient, *buffers, *output;
    int64_t gradients, moments, outputs;
    int64_t peak; /* of a step, above what was in use before it */
} result;

static float *copy_of(const an_tensor *x, int64_t *n)
{
    *n = an_numel(x);
    float *out = an_alloc((size_t)*n * sizeof *out);
    assert_non_null(out);
    memcpy(out, an_f32(x), (size_t)*n * sizeof *out);
    return out;
}

static void release(result *r)
{
    an_free(r->gradient), an_free(r->buffers), an_free(r->output);
}

/* One step of a network of which `units` are recomputed (−1: all). frozen [opt]: a part. early: the
 * network is freed before the backward pass. */
static result step(const an_resnet_options *o, int64_t units, const char *frozen, bool early)
{
    result out;
    size_t mark = an_scope_begin();
    an_module *m = an_module_new(3);
    an_resnet *r = an_resnet_new(m, "b", o);
    assert_non_null(r);
    assert_int_equal(an_module_seal(m), AN_OK);
    if (frozen)
        assert_true(an_module_freeze_part(m, frozen, true) > 0);
    an_resnet_recompute(r, units < 0 ? an_resnet_units(r) : units);
    an_tensor *images = normal(1, 4, SHAPE(4, 32, 32, 3));
    an_tensor_heap_restart();
    int64_t before = an_tensor_heap_in_use();
    size_t inner = an_scope_begin();
    an_tensor *features = an_resnet_forward(r, images);
    out.output = copy_of(features, &out.outputs);
    an_tensor *loss = an_scope_end(inner, an_sum(an_mul(features, features), AN_ALL, false));
    if (early)
        an_resnet_free(r);
    assert_int_equal(an_backward(loss), AN_OK);
    out.peak = an_tensor_heap_most() - before;
    out.gradient = copy_of(an_module_gradient(m), &out.gradients);
    out.buffers = copy_of(an_module_buffers(m), &out.moments);
    if (!early)
        an_resnet_free(r);
    an_module_release(m);
    an_scope_end(mark, NULL);
    return out;
}

static void assert_same_bits(const result *a, const result *b)
{
    assert_memory_equal(a->output, b->output, (size_t)a->outputs * sizeof(float));
    assert_memory_equal(a->gradient, b->gradient, (size_t)a->gradients * sizeof(float));
    assert_memory_equal(a->buffers, b->buffers, (size_t)a->moments * sizeof(float));
}

static void every_form_has_the_same_bits(void **state)
{
    (void)state;
    an_resnet_options small, deep = an_resnet_large(3, 8, 50);
    assert_int_equal(an_resnet_small(&small, 3, 8, 14), AN_OK);
    const an_resnet_options large = an_resnet_large(3, 8, 18);
    const an_resnet_options *forms[] = {&small, &large, &deep};
    for (int i = 0; i < 3; i++) {
        result plain = step(forms[i], 0, NULL, false);
        for (int64_t units = -1; units <= 3; units += 2) {
            result again = step(forms[i], units, NULL, false);
            assert_same_bits(&plain, &again);
            assert_true(again.peak < plain.peak);
            release(&again);
        }
        release(&plain);
    }
}

static void frozen_parts_have_the_same_bits(void **state)
{
    (void)state;
    const an_resnet_options o = an_resnet_large(3, 8, 18);
    const char *parts[] = {"b.conv1.", "b.layer1.", "b.bn1."};
    for (int i = 0; i < 3; i++) {
        result plain = step(&o, 0, parts[i], false), again = step(&o, -1, parts[i], false);
        assert_same_bits(&plain, &again);
        release(&plain), release(&again);
    }
}

static void the_tape_keeps_a_freed_network(void **state)
{
    (void)state;
    const an_resnet_options o = an_resnet_large(3, 8, 18);
    result plain = step(&o, 0, NULL, false), again = step(&o, -1, NULL, true);
    assert_same_bits(&plain, &again);
    release(&plain), release(&again);
}

/* Batch normalisation keeps its input; pooling keeps where its maxima were, not its input. A block
 * keeps three maps of a quarter of the size, next to its output. */
static void units_report_their_bytes(void **state)
{
    (void)state;
    const an_resnet_options o = an_resnet_large(3, 8, 18);
    an_module *m = an_module_new(3);
    an_resnet *r = an_resnet_new(m, "b", &o);
    assert_int_equal(an_module_seal(m), AN_OK);
    assert_int_equal(an_resnet_units(r), 9);
    assert_int_equal(an_resnet_unit_bytes(r, 0).kept, 0);
    an_resnet_recompute(r, 9);
    an_tensor *x = an_resnet_forward(r, normal(1, 4, SHAPE(4, 64, 64, 3)));
    assert_int_equal(an_backward(an_sum(x, AN_ALL, false)), AN_OK);
    const int64_t stem = 4 * 4 * 32 * 32 * 8; /* bytes of one map behind the first convolution */
    const an_segment_bytes first = an_resnet_unit_bytes(r, 0);
    assert_in_range(first.kept, stem, 5 * stem / 4);
    assert_in_range(an_resnet_unit_bytes(r, 1).kept, 3 * stem / 4, stem);
    assert_true(first.before > 0 && first.peak > first.kept);
    an_resnet_recompute(r, 9);
    assert_int_equal(an_resnet_unit_bytes(r, 0).kept, 0);
    an_resnet_free(r);
    an_module_release(m);
}

/* Every allocation of a step fails once: an error, no leak, and the next step is as before. */
static void a_failed_allocation_is_an_error(void **state)
{
    (void)state;
    an_resnet_options o;
    assert_int_equal(an_resnet_small(&o, 3, 2, 8), AN_OK);
    an_module *m = an_module_new(3);
    an_resnet *r = an_resnet_new(m, "b", &o);
    assert_int_equal(an_module_seal(m), AN_OK);
    an_resnet_recompute(r, an_resnet_units(r));
    int failures = 0;
    for (int64_t nth = 1;; nth++) {
        size_t mark = an_scope_begin();
        an_tensor *images = normal(1, 4, SHAPE(2, 8, 8, 3));
        an_mem_fail_at(nth);
        an_tensor *x = an_resnet_forward(r, images);
        an_tensor *loss = x ? an_sum(x, AN_ALL, false) : NULL;
        an_code code = loss ? an_backward(loss) : AN_ENOMEM;
        an_mem_fail_at(0);
        assert_int_equal(an_tape_length(), loss ? 0 : an_tape_length());
        an_tape_clear();
        an_scope_end(mark, NULL);
        if (code == AN_OK)
            break;
        assert_int_equal(code, AN_ENOMEM);
        failures++;
    }
    assert_true(failures > 50);
    an_resnet_free(r);
    an_module_release(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_form_has_the_same_bits, setup, teardown),
        cmocka_unit_test_setup_teardown(frozen_parts_have_the_same_bits, setup, teardown),
        cmocka_unit_test_setup_teardown(the_tape_keeps_a_freed_network, setup, teardown),
        cmocka_unit_test_setup_teardown(units_report_their_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_allocation_is_an_error, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
