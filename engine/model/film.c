/* film: the denoiser of CARD (2206.07275, appendix) and DiffMIC (2303.10610).
 *
 *     u = BN(Linear(mean over the grid of F))                          once per image
 *     h = u ⊙ softplus(BN(e1_t ⊙ Linear[y_t, m^g, m^l]))
 *     h = softplus(BN(e2_t ⊙ Linear h)),  h = softplus(BN(e3_t ⊙ Linear h)),  ε̂ = Linear h
 * with a learned row e_t per time. Differences from CARD: the last layer starts at zero, and the
 * mean of F over the grid replaces CARD's image encoder. Crop vectors enter only through m^l. */
#include "model/film.h"

#include "grad/ops.h"
#include "grad/tape.h"

enum { LAYERS = AN_FILM_LAYERS, FEATURE = 0 };

typedef an_film_network film;

static an_code build(void *self, an_module *m, const char *prefix, const an_denoiser_options *o)
{
    film *f = self;
    f->feature = an_dense_new(m, an_name("%s.feature", prefix).text, o->features, o->dim);
    f->feature_norm = an_bn_new(m, an_name("%s.feature_norm", prefix).text, o->dim);
    for (int i = 0; i < LAYERS; i++) {
        const int64_t table[] = {o->steps + 1, o->dim};
        an_text embed = an_name("%s.lin%d.embed.weight", prefix, i + 1);
        f->layer[i].lin = an_dense_new(m, an_name("%s.lin%d.lin", prefix, i + 1).text,
                                       i == 0 ? 3 * o->classes : o->dim, o->dim);
        f->layer[i].embed = an_module_param(m, embed.text, an_init_uniform(0, 1), 2, table, false);
        f->layer[i].norm = an_bn_new(m, an_name("%s.norm%d", prefix, i + 1).text, o->dim);
    }
    f->out = an_dense_zero(m, an_name("%s.out", prefix).text, o->dim, o->classes);
    return an_module_failed(m);
}

static an_code encode(void *self, an_denoiser_context *c, an_tensor *features, an_tensor *crops)
{
    const film *f = self;
    (void)crops;
    an_tensor *u = an_dense_apply(&f->feature, an_global_avg_pool(features));
    c->kept[FEATURE] = an_bn_apply(&f->feature_norm, u, NULL, false);
    return c->kept[FEATURE] ? AN_OK : an_err_code();
}

/* Whether the pass requires neither gradients nor the moments of the batch. */
static bool is_inference(const film *f, const an_denoiser_context *c, an_tensor *y)
{
    return !an_module_training(f->feature_norm.module) && !an_requires_grad(f->out.weight) &&
           !an_requires_grad(c->kept[FEATURE]) && !an_requires_grad(y);
}

static an_tensor *forward(void *self, const an_denoiser_context *c, an_tensor *y, an_tensor *t,
                          an_tensor **map)
{
    const film *f = self;
    if (map)
        return an_fail(AN_EINVAL, "a film denoiser has no attention map; use cross_attention"),
               NULL;
    if (an_denoiser_times_equal(t) && is_inference(f, c, y))
        return an_film_chain(f, c, c->kept[FEATURE], an_contiguous(y), an_i64(t)[0]);
    int64_t R = y->shape[0] / c->images;
    an_tensor *parts[] = {y, an_repeat_rows(c->mg, R), an_repeat_rows(c->ml, R)};
    an_tensor *u = an_repeat_rows(c->kept[FEATURE], R);
    an_tensor *h = parts[1] && parts[2] ? an_concat(parts, 3, 1) : NULL;
    for (int i = 0; i < LAYERS; i++) {
        an_tensor *gate = an_embedding(f->layer[i].embed, t);
        h = an_mul(an_dense_apply(&f->layer[i].lin, h), gate);
        h = an_map(an_bn_apply(&f->layer[i].norm, h, NULL, false), AN_SOFTPLUS);
        if (i == 0)
            h = an_mul(h, u);
    }
    return an_dense_apply(&f->out, h);
}

const an_denoiser_methods an_film_methods = {
    .bytes = sizeof(film), .build = build, .encode = encode, .forward = forward};
