/* resnet: see resnet.h. */
#include "model/resnet.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/precision.h"
#include "grad/ops.h"
#include "grad/recompute.h"
#include "model/residual_block.h"
#include "tensor/scope.h"

struct an_resnet {
    an_module *module;
    an_resnet_options options;
    int64_t id;
    int64_t first, entries; /* of the module */
    an_conv conv1;
    an_bn bn1;
    int refs;                /* the caller's, and one per recorded unit */
    int64_t recomputed;      /* units, the stem being the first             */
    an_segment_bytes *bytes; /* of each unit */
    int64_t count;
    an_residual_block block[];
};

an_code an_resnet_small(an_resnet_options *out, int64_t channels, int64_t width, int64_t depth)
{
    if (depth < 8 || depth > AN_RESNET_DEEPEST || (depth - 2) % 6 != 0)
        return an_fail(AN_EINVAL,
                       "a ResNet for small images has depth 6n+2 (8, 14, 20, … %d), not %lld",
                       AN_RESNET_DEEPEST, (long long)depth);
    *out = (an_resnet_options){.channels = channels, .width = width, .stages = 3, .stem_stride = 1};
    for (int64_t stage = 0; stage < out->stages; stage++)
        out->blocks[stage] = (depth - 2) / 6;
    return AN_OK;
}

an_resnet_options an_resnet_large(int64_t channels, int64_t width, int depth)
{
    an_resnet_options o = {.channels = channels,
                           .width = width,
                           .stages = 4,
                           .blocks = {3, 4, 6, 3},
                           .bottleneck = depth == 50,
                           .large_stem = true};
    AN_ASSERT(depth == 18 || depth == 34 || depth == 50);
    for (int64_t stage = 0; depth == 18 && stage < o.stages; stage++)
        o.blocks[stage] = 2;
    return o;
}

static an_code check(const an_resnet_options *o)
{
    if (o->channels < 1 || o->width < 1)
        return an_fail(AN_EINVAL, "a ResNet needs at least one channel and a width");
    if (o->stages < 1 || o->stages > AN_RESNET_STAGES)
        return an_fail(AN_EINVAL, "a ResNet has 1 to %d stages, not %lld", AN_RESNET_STAGES,
                       (long long)o->stages);
    for (int64_t stage = 0; stage < o->stages; stage++)
        if (o->blocks[stage] < 1)
            return an_fail(AN_EINVAL, "a ResNet needs at least one block in each stage");
    if (!o->large_stem && o->stem_stride != 1 && o->stem_stride != 2)
        return an_fail(AN_EINVAL, "the 3×3 stem of a ResNet has stride 1 or 2, not %d",
                       o->stem_stride);
    return AN_OK;
}

static int64_t total_blocks(const an_resnet_options *o)
{
    int64_t count = 0;
    for (int64_t stage = 0; stage < o->stages; stage++)
        count += o->blocks[stage];
    return count;
}

/* Channels that leave a stage, counted from 0. */
static int64_t channels_out(const an_resnet_options *o, int64_t stage)
{
    return (o->bottleneck ? AN_BOTTLENECK_EXPANSION : 1) * (o->width << stage);
}

static void declare_blocks(an_resnet *r, const char *prefix)
{
    const an_resnet_options *o = &r->options;
    int64_t in = o->width;
    for (int64_t stage = 0, i = 0; stage < o->stages; stage++) {
        for (int64_t index = 0; index < o->blocks[stage]; index++, i++) {
            an_text name = an_name("%s.layer%d.%d", prefix, (int)stage + 1, (int)index);
            int stride = stage > 0 && index == 0 ? 2 : 1;
            r->block[i] = (o->bottleneck ? an_bottleneck_new : an_basic_block_new)(
                r->module, name.text, in, o->width << stage, stride);
            in = channels_out(o, stage);
        }
    }
}

an_resnet *an_resnet_new(an_module *m, const char *prefix, const an_resnet_options *options)
{
    const an_resnet_options *o = options;
    if (check(o))
        return NULL;
    int64_t count = total_blocks(o);
    an_resnet *r = an_calloc(1, sizeof *r + (size_t)count * sizeof *r->block);
    an_segment_bytes *bytes = r ? an_calloc((size_t)count + 1, sizeof *bytes) : NULL;
    if (!bytes) {
        an_free(r);
        return NULL;
    }
    r->bytes = bytes;
    r->refs = 1;
    r->options = *o;
    static int64_t networks;
    r->count = count;
    r->id = ++networks;
    r->module = m;
    an_module_retain(m);
    r->first = an_module_entries(m);
    r->conv1 = an_conv_new(m, an_name("%s.conv1", prefix).text, o->channels, o->width,
                           o->large_stem ? 7 : 3, o->large_stem ? 2 : o->stem_stride);
    r->bn1 = an_bn_new(m, an_name("%s.bn1", prefix).text, o->width);
    declare_blocks(r, prefix);
    r->entries = an_module_entries(m) - r->first;
    if (an_module_failed(m)) {
        an_resnet_free(r);
        return NULL;
    }
    return r;
}

static void retain(void *resnet)
{
    ((an_resnet *)resnet)->refs++;
}

static void release(void *resnet)
{
    an_resnet *r = resnet;
    if (--r->refs > 0)
        return;
    an_module_release(r->module);
    an_free(r->bytes);
    an_free(r);
}

void an_resnet_free(an_resnet *r)
{
    if (r)
        release(r);
}

static an_tensor *apply_stem(const void *resnet, an_tensor *images)
{
    const an_resnet *r = resnet;
    size_t mark = an_scope_begin();
    an_tensor *x = an_bn_apply(&r->bn1, an_conv_apply(&r->conv1, images), NULL, true);
    return an_scope_end(mark, r->options.large_stem ? an_max_pool2d(x, 3, 2, 1) : x);
}

static an_tensor *apply_block(const void *block, an_tensor *x)
{
    return an_residual_block_apply(block, x);
}

/* Unit 0 is the stem, unit i block i − 1. */
static an_tensor *apply_unit(an_resnet *r, int64_t unit, an_tensor *x)
{
    const an_residual_block *b = unit > 0 ? &r->block[unit - 1] : NULL;
    const an_segment segment = {.apply = b ? apply_block : apply_stem,
                                .part = b ? (const void *)b : r,
                                .owner = r,
                                .retain = retain,
                                .release = release,
                                .bytes = &r->bytes[unit]};
    if (unit >= r->recomputed)
        return segment.apply(segment.part, x);
    return x ? an_recompute(&segment, x, b ? b->conv[0].weight : r->conv1.weight) : NULL;
}

/* Whether maps between layers, and their gradients, are stored as bf16: at that precision, if every
 * layer supports it. A gradient of the images would require multiples of 16 channels. */
static bool stores_narrow(const an_resnet *r, const an_tensor *images)
{
    return an_precision_now() == AN_PRECISION_BF16 && r->options.width % AN_NARROW_CHANNELS == 0 &&
           an_resnet_features(r) <= AN_NORM_NARROW && !images->requires_grad;
}

an_tensor *an_resnet_forward(an_resnet *r, an_tensor *images)
{
    if (!images || an_expect(images, "images (B, H, W, C)", AN_F32, 4))
        return NULL;
    if (images->shape[3] != r->options.channels)
        return an_fail(AN_EINVAL, "images %s: the network was made for %lld channels",
                       an_shape_text(images), (long long)r->options.channels),
               NULL;
    size_t mark = an_scope_begin();
    an_tensor *x = stores_narrow(r, images) ? an_cast(images, AN_BF16) : images;
    for (int64_t unit = 0; unit < an_resnet_units(r); unit++)
        x = apply_unit(r, unit, x);
    return an_scope_end(mark, an_cast(x, AN_F32));
}

int64_t an_resnet_units(const an_resnet *r)
{
    return r->count + 1;
}

void an_resnet_recompute(an_resnet *r, int64_t n)
{
    AN_ASSERT(n >= 0 && n <= an_resnet_units(r));
    r->recomputed = n;
    memset(r->bytes, 0, (size_t)an_resnet_units(r) * sizeof *r->bytes);
}

int64_t an_resnet_recomputed(const an_resnet *r)
{
    return r->recomputed;
}

an_segment_bytes an_resnet_unit_bytes(const an_resnet *r, int64_t unit)
{
    AN_ASSERT(unit >= 0 && unit < an_resnet_units(r));
    return r->bytes[unit];
}

int64_t an_resnet_features(const an_resnet *r)
{
    return channels_out(&r->options, r->options.stages - 1);
}

an_module *an_resnet_module(const an_resnet *r)
{
    return r->module;
}

const an_resnet_options *an_resnet_options_of(const an_resnet *r)
{
    return &r->options;
}

int64_t an_resnet_id(const an_resnet *r)
{
    return r->id;
}

int64_t an_resnet_first_entry(const an_resnet *r)
{
    return r->first;
}

int64_t an_resnet_entries(const an_resnet *r)
{
    return r->entries;
}

int64_t an_resnet_depth(const an_resnet_options *o)
{
    return (o->bottleneck ? 3 : 2) * total_blocks(o) + 2;
}
