/* saliency: see saliency.h. */
#include "model/saliency.h"

#include "base/assert.h"
#include "grad/ops.h"

an_saliency an_saliency_new(an_module *m, const char *name, int64_t features, int64_t classes,
                            double top)
{
    AN_ASSERT(features >= 1 && classes >= 1 && top > 0 && top <= 100);
    const int64_t shape[] = {classes, features, 1, 1};
    an_init init = an_init_fan_in(features);
    return (an_saliency){
        .weight = an_module_param(m, an_name("%s.weight", name).text, init, 4, shape, true),
        .bias = an_module_param(m, an_name("%s.bias", name).text, init, 1, &classes, false),
        .top = top,
    };
}

an_tensor *an_saliency_maps(const an_saliency *s, an_tensor *features)
{
    return an_conv2d(features, s->weight, s->bias, 1, 0);
}

an_tensor *an_saliency_logits(const an_saliency *s, an_tensor *maps)
{
    return an_top_pool(maps, s->top);
}
