/* resnet: see resnet.h. Batch normalisation, the residual and the ReLU are one operation. */
#include "model/resnet.h"

#include "base/memory/mem.h"
#include "grad/ops.h"
#include "model/layer.h"
#include "tensor/scope.h"

enum { MAX_STAGES = 4 };

typedef struct {
    an_conv conv1, conv2, shortcut;
    an_bn bn1, bn2, shortcut_bn;
    bool projects; /* has the shortcut's convolution */
} basic_block;

struct an_resnet {
    an_module *module;
    an_resnet_options options;
    an_conv conv1;
    an_bn bn1;
    int64_t count;
    basic_block block[];
};

an_code an_resnet_small(an_resnet_options *out, int64_t channels, int64_t width, int64_t depth)
{
    if (depth < 8 || depth > AN_RESNET_DEEPEST || (depth - 2) % 6 != 0)
        return an_fail(AN_EINVAL,
                       "a ResNet for small images has depth 6n+2 (8, 14, 20, … %d), not %lld",
                       AN_RESNET_DEEPEST, (long long)depth);
    *out = (an_resnet_options){.channels = channels,
                               .width = width,
                               .stages = 3,
                               .blocks = (depth - 2) / 6,
                               .stem_stride = 1};
    return AN_OK;
}

an_resnet_options an_resnet_18(int64_t channels, int64_t width)
{
    return (an_resnet_options){
        .channels = channels, .width = width, .stages = 4, .blocks = 2, .large_stem = true};
}

static basic_block make_block(an_module *m, const char *name, int64_t in, int64_t out, int stride)
{
    basic_block b = {.projects = stride != 1 || in != out};
    b.conv1 = an_conv_new(m, an_name("%s.conv1", name).text, in, out, 3, stride);
    b.bn1 = an_bn_new(m, an_name("%s.bn1", name).text, out);
    b.conv2 = an_conv_new(m, an_name("%s.conv2", name).text, out, out, 3, 1);
    b.bn2 = an_bn_new(m, an_name("%s.bn2", name).text, out);
    if (b.projects) {
        b.shortcut = an_conv_new(m, an_name("%s.downsample.0", name).text, in, out, 1, stride);
        b.shortcut_bn = an_bn_new(m, an_name("%s.downsample.1", name).text, out);
    }
    return b;
}

static an_code check(const an_resnet_options *o)
{
    if (o->channels < 1 || o->width < 1 || o->blocks < 1)
        return an_fail(AN_EINVAL, "a ResNet needs at least one channel, a width and a block");
    if (o->stages < 1 || o->stages > MAX_STAGES)
        return an_fail(AN_EINVAL, "a ResNet has 1 to %d stages, not %lld", MAX_STAGES,
                       (long long)o->stages);
    if (!o->large_stem && o->stem_stride != 1 && o->stem_stride != 2)
        return an_fail(AN_EINVAL, "the 3×3 stem of a ResNet has stride 1 or 2, not %d",
                       o->stem_stride);
    return AN_OK;
}

an_resnet *an_resnet_new(an_module *m, const char *prefix, const an_resnet_options *options)
{
    const an_resnet_options *o = options;
    if (check(o))
        return NULL;
    int64_t count = o->stages * o->blocks;
    an_resnet *r = an_calloc(1, sizeof *r + (size_t)count * sizeof *r->block);
    if (!r)
        return NULL;
    r->options = *o;
    r->count = count;
    r->module = m;
    an_module_retain(m);
    r->conv1 = an_conv_new(m, an_name("%s.conv1", prefix).text, o->channels, o->width,
                           o->large_stem ? 7 : 3, o->large_stem ? 2 : o->stem_stride);
    r->bn1 = an_bn_new(m, an_name("%s.bn1", prefix).text, o->width);
    int64_t in = o->width;
    for (int64_t i = 0; i < count; i++) {
        int stage = (int)(i / o->blocks), index = (int)(i % o->blocks);
        int64_t out = o->width << stage;
        r->block[i] = make_block(m, an_name("%s.layer%d.%d", prefix, stage + 1, index).text, in,
                                 out, stage > 0 && index == 0 ? 2 : 1);
        in = out;
    }
    if (an_module_failed(m)) {
        an_resnet_free(r);
        return NULL;
    }
    return r;
}

void an_resnet_free(an_resnet *r)
{
    if (!r)
        return;
    an_module_release(r->module);
    an_free(r);
}

/* A scope of its own: without recording, a block's intermediates are released at its end. */
static an_tensor *block_forward(const basic_block *b, an_tensor *x)
{
    size_t mark = an_scope_begin();
    an_tensor *shortcut = x;
    if (b->projects)
        shortcut = an_bn_apply(&b->shortcut_bn, an_conv_apply(&b->shortcut, x), NULL, false);
    an_tensor *y = an_bn_apply(&b->bn1, an_conv_apply(&b->conv1, x), NULL, true);
    y = an_conv_apply(&b->conv2, y);
    return an_scope_end(mark, shortcut ? an_bn_apply(&b->bn2, y, shortcut, true) : NULL);
}

an_tensor *an_resnet_forward(const an_resnet *r, an_tensor *images)
{
    if (!images || an_expect(images, "images (B, H, W, C)", AN_F32, 4))
        return NULL;
    if (images->shape[3] != r->options.channels)
        return an_fail(AN_EINVAL, "images %s: the network was made for %lld channels",
                       an_shape_text(images), (long long)r->options.channels),
               NULL;
    size_t mark = an_scope_begin();
    an_tensor *x = an_bn_apply(&r->bn1, an_conv_apply(&r->conv1, images), NULL, true);
    if (r->options.large_stem)
        x = an_max_pool2d(x, 3, 2, 1);
    for (int64_t i = 0; i < r->count; i++)
        x = block_forward(&r->block[i], x);
    return an_scope_end(mark, x);
}

int64_t an_resnet_features(const an_resnet *r)
{
    return r->options.width << (r->options.stages - 1);
}

an_module *an_resnet_module(const an_resnet *r)
{
    return r->module;
}

const an_resnet_options *an_resnet_options_of(const an_resnet *r)
{
    return &r->options;
}
