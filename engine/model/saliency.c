/* saliency: see saliency.h. */
#include "model/saliency.h"

#include "base/assert.h"
#include "grad/ops.h"
#include "model/layer.h"

an_saliency an_saliency_new(an_module *m, const char *name, int64_t features, int64_t classes,
                            double top, bool cosine)
{
    AN_ASSERT(features >= 1 && classes >= 1 && top > 0 && top <= 100);
    const int64_t shape[] = {classes, features, 1, 1};
    an_init init = an_init_fan_in(features);
    return (an_saliency){
        .weight = an_module_param(m, an_name("%s.weight", name).text, init, 4, shape, true),
        .bias = cosine
                    ? NULL
                    : an_module_param(m, an_name("%s.bias", name).text, init, 1, &classes, false),
        .top = top,
        .cosine = cosine,
    };
}

/* The maps of unit weights over the norm of the pooled features, (B, h, w, K). */
static an_tensor *cosine_maps(const an_saliency *s, an_tensor *features)
{
    const int64_t rows[] = {s->weight->shape[0], s->weight->shape[1]}, one[] = {-1, 1, 1, 1};
    an_tensor *unit = an_unit_rows(an_reshape(s->weight, 2, rows));
    an_tensor *pooled = an_global_avg_pool(features);
    an_tensor *square = an_sum(an_mul(pooled, pooled), -1, true);
    an_tensor *norm = an_reshape(an_map(an_affine(square, 1, 1e-12), AN_SQRT), 4, one);
    an_tensor *maps = an_conv2d(features, an_reshape(unit, 4, s->weight->shape), NULL, 1, 0);
    return an_div(maps, norm);
}

an_tensor *an_saliency_maps(const an_saliency *s, an_tensor *features)
{
    if (s->cosine)
        return cosine_maps(s, features);
    return an_conv2d(features, s->weight, s->bias, 1, 0);
}

an_tensor *an_saliency_logits(const an_saliency *s, an_tensor *maps)
{
    return an_top_pool(maps, s->top);
}
