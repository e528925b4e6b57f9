/* residual_block: see residual_block.h. Batch normalisation, the residual and the ReLU are one
 * operation. */
#include "model/residual_block.h"

#include "grad/ops.h"
#include "tensor/scope.h"

static void add_conv(an_residual_block *b, an_module *m, const char *name, int64_t in, int64_t out,
                     int size, int stride)
{
    const int i = b->convolutions++;
    b->conv[i] = an_conv_new(m, an_name("%s.conv%d", name, i + 1).text, in, out, size, stride);
    b->bn[i] = an_bn_new(m, an_name("%s.bn%d", name, i + 1).text, out);
}

static void add_shortcut(an_residual_block *b, an_module *m, const char *name, int64_t in,
                         int64_t out, int stride)
{
    b->projects = stride != 1 || in != out;
    if (!b->projects)
        return;
    b->shortcut = an_conv_new(m, an_name("%s.downsample.0", name).text, in, out, 1, stride);
    b->shortcut_bn = an_bn_new(m, an_name("%s.downsample.1", name).text, out);
}

an_residual_block an_basic_block_new(an_module *m, const char *name, int64_t in, int64_t width,
                                     int stride)
{
    an_residual_block b = {0};
    add_conv(&b, m, name, in, width, 3, stride);
    add_conv(&b, m, name, width, width, 3, 1);
    add_shortcut(&b, m, name, in, width, stride);
    return b;
}

an_residual_block an_bottleneck_new(an_module *m, const char *name, int64_t in, int64_t width,
                                    int stride)
{
    const int64_t out = AN_BOTTLENECK_EXPANSION * width;
    an_residual_block b = {0};
    add_conv(&b, m, name, in, width, 1, 1);
    add_conv(&b, m, name, width, width, 3, stride);
    add_conv(&b, m, name, width, out, 1, 1);
    add_shortcut(&b, m, name, in, out, stride);
    return b;
}

/* Has its own scope: without recording, a block's intermediates are released at its end. */
an_tensor *an_residual_block_apply(const an_residual_block *b, an_tensor *x)
{
    size_t mark = an_scope_begin();
    an_tensor *shortcut = x, *y = x;
    if (b->projects)
        shortcut = an_bn_apply(&b->shortcut_bn, an_conv_apply(&b->shortcut, x), NULL, false);
    const int last = b->convolutions - 1;
    for (int i = 0; i < last; i++)
        y = an_bn_apply(&b->bn[i], an_conv_apply(&b->conv[i], y), NULL, true);
    y = an_conv_apply(&b->conv[last], y);
    return an_scope_end(mark, shortcut ? an_bn_apply(&b->bn[last], y, shortcut, true) : NULL);
}
