/* prior: see prior.h. Options are checked only in an_prior_new(). */
#include "model/prior.h"

#include "base/memory/mem.h"
#include "grad/ops.h"
#include "model/crops.h"
#include "model/gated_pool.h"
#include "model/shared_resnet.h"
#include "model/saliency.h"
#include "tensor/scope.h"

const char *const an_prior_mode_names[] = {"both",      "global", "local", "uniform",
                                           "frequency", "zero",   NULL};

struct an_prior {
    an_module *module;
    an_prior_options options;
    an_saliency saliency;
    an_resnet *local; /* NULL without a local branch, and with `tokens` */
    an_gated_pool pool;
    an_dense head;
    an_tensor *constant; /* (K), NULL unless m is a constant */
};

static bool is_constant(an_prior_mode mode)
{
    return mode >= AN_PRIOR_UNIFORM;
}

static bool has_local(an_prior_mode mode)
{
    return mode == AN_PRIOR_BOTH || mode == AN_PRIOR_LOCAL;
}

static an_code check(const an_prior_options *o)
{
    if (o->classes < 2)
        return an_fail(AN_EINVAL, "prior: at least 2 classes are needed, not %lld",
                       (long long)o->classes);
    if (o->mode == AN_PRIOR_FREQUENCY && !o->counts)
        return an_fail(AN_EINVAL, "prior: mode frequency needs counts, one per class");
    if (is_constant(o->mode))
        return AN_OK;
    if (o->features < 1 || o->channels < 1)
        return an_fail(AN_EINVAL, "prior: features and channels must be at least 1");
    if (!(o->top_percent > 0 && o->top_percent <= 100))
        return an_fail(AN_EINVAL, "prior: top_percent must be in (0, 100], not %g", o->top_percent);
    if (!(o->logit_scale >= 0))
        return an_fail(AN_EINVAL, "prior: logit_scale must be at least 0, not %g", o->logit_scale);
    if (!has_local(o->mode))
        return AN_OK;
    if (o->crops < 1 || o->crop_size < 0 || o->local_width < 1 || o->attention < 1)
        return an_fail(AN_EINVAL, "prior: crops, local_width and attention must be at least 1, "
                                  "and crop_size a side in pixels or 0");
    if (!(o->weight >= 0 && o->weight <= 1))
        return an_fail(AN_EINVAL, "prior: weight must be in [0, 1], not %g", o->weight);
    return AN_OK;
}

/* ── building ──────────────────────────────────────────────────────────────────── */

static an_code build_constant(an_prior *p)
{
    const an_prior_options *o = &p->options;
    double total = 0;
    for (int64_t j = 0; o->mode == AN_PRIOR_FREQUENCY && j < o->classes; j++) {
        if (!(o->counts[j] >= 0))
            return an_fail(AN_EINVAL, "prior: the count of class %lld is negative or not a number",
                           (long long)j + 1);
        total += o->counts[j];
    }
    if (o->mode == AN_PRIOR_FREQUENCY && !(total > 0))
        return an_fail(AN_EINVAL, "prior: mode frequency needs counts that are not all zero");
    size_t mark = an_scope_begin();
    p->constant = an_tensor_zeros(AN_F32, 1, &o->classes);
    if (p->constant)
        an_retain(p->constant);
    an_scope_end(mark, NULL);
    for (int64_t j = 0; p->constant && j < o->classes && o->mode != AN_PRIOR_ZERO; j++)
        an_f32(p->constant)[j] =
            (float)(o->mode == AN_PRIOR_UNIFORM ? 1.0 / (double)o->classes : o->counts[j] / total);
    return p->constant ? AN_OK : an_err_code();
}

static an_code build(an_prior *p, const char *prefix)
{
    const an_prior_options *o = &p->options;
    an_module *m = p->module;
    if (is_constant(o->mode))
        return build_constant(p);
    p->saliency = an_saliency_new(m, an_name("%s.saliency", prefix).text, o->features, o->classes,
                                  o->top_percent, o->cosine);
    if (!has_local(o->mode))
        return an_module_failed(m);
    const an_resnet_options local = {.channels = o->channels,
                                     .width = o->local_width,
                                     .stages = 2,
                                     .blocks = {1, 1},
                                     .stem_stride = 1};
    if (!o->tokens && !(p->local = an_resnet_new(m, an_name("%s.local", prefix).text, &local)))
        return an_err_code();
    int64_t width = an_prior_crop_features(p);
    p->pool = an_gated_pool_new(m, an_name("%s.pool", prefix).text, width, o->attention);
    an_text head = an_name("%s.head", prefix);
    p->head = o->cosine ? an_dense_no_bias(m, head.text, width, o->classes)
                        : an_dense_new(m, head.text, width, o->classes);
    return an_module_failed(m);
}

an_prior *an_prior_new(an_module *m, const char *prefix, const an_prior_options *options)
{
    if (check(options))
        return NULL;
    an_prior *p = an_calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->options = *options;
    p->module = m;
    an_module_retain(m);
    an_code code = build(p, prefix);
    p->options.counts = NULL; /* the caller's */
    if (code) {
        an_prior_free(p);
        return NULL;
    }
    return p;
}

void an_prior_free(an_prior *p)
{
    if (!p)
        return;
    an_resnet_free(p->local);
    an_release(p->constant);
    an_module_release(p->module);
    an_free(p);
}

/* ── forward ─────────────────────────────────────────────────────────────────── */

/* An even third of the shorter side: four windows then never overlap (model/crops.h). */
static int64_t side(const an_prior_options *o, int64_t H, int64_t W)
{
    int64_t third = ((H < W ? H : W) + 1) / 3 & ~(int64_t)1;
    return o->crop_size ? o->crop_size : third > 2 ? third : 2;
}

/* s·logits; the logits themselves where s is 1. */
static an_tensor *scaled(const an_prior_options *o, an_tensor *logits)
{
    bool plain = o->logit_scale == 0 || o->logit_scale == 1;
    return plain ? logits : an_affine(logits, o->logit_scale, 0);
}

/* Class probabilities from logits. */
static an_tensor *probabilities(const an_prior_options *o, an_tensor *logits)
{
    return an_softmax(scaled(o, o->gradient ? logits : an_detach(logits)));
}

static void forward_constant(const an_prior *p, int64_t B, an_prior_output *out)
{
    const int64_t shape[] = {B, p->options.classes};
    out->m = out->mg = out->ml = an_expand(p->constant, 2, shape);
}

static void forward_global(const an_prior *p, an_tensor *features, an_prior_output *out)
{
    out->saliency = an_saliency_maps(&p->saliency, features);
    out->g = an_saliency_logits(&p->saliency, out->saliency);
}

/* With `tokens` the windows are cells of the grid: each has side 1 and is its own vector, and there
 * are at most as many as cells. */
static void forward_local(const an_prior *p, an_tensor *images, an_prior_output *out)
{
    const an_prior_options *o = &p->options;
    int64_t B = images->shape[0], H = images->shape[1], W = images->shape[2];
    int64_t s = o->tokens ? 1 : side(o, H, W);
    int64_t count = o->tokens && o->crops > H * W ? H * W : o->crops;
    out->side = s;
    out->positions = an_crops_choose(out->saliency, scaled(o, out->g), H, W, count, s);
    an_tensor *windows = an_crops_cut(images, out->positions, s), *vectors = windows;
    if (!o->tokens)
        vectors = an_global_avg_pool(an_shared_resnet_forward(p->local, windows));
    const int64_t shape[] = {B, count, an_prior_crop_features(p)};
    out->crops = an_reshape(vectors, 3, shape);
    an_tensor *vector = an_gated_pool_apply(&p->pool, out->crops, &out->attention);
    out->l = o->cosine ? an_dense_cosine(&p->head, vector) : an_dense_apply(&p->head, vector);
}

/* m, mg and ml from the logits. */
static void fuse(const an_prior_options *o, int64_t B, an_prior_output *out)
{
    const int64_t shape[] = {B, o->classes};
    out->mg =
        o->mode == AN_PRIOR_LOCAL ? an_tensor_zeros(AN_F32, 2, shape) : probabilities(o, out->g);
    out->ml =
        o->mode == AN_PRIOR_GLOBAL ? an_tensor_zeros(AN_F32, 2, shape) : probabilities(o, out->l);
    if (o->mode == AN_PRIOR_BOTH)
        out->m = an_add(an_affine(out->mg, o->weight, 0), an_affine(out->ml, 1 - o->weight, 0));
    else
        out->m = o->mode == AN_PRIOR_GLOBAL ? out->mg : out->ml;
}

an_code an_prior_forward(const an_prior *p, an_tensor *images, an_tensor *features,
                         an_prior_output *out)
{
    const an_prior_options *o = &p->options;
    *out = (an_prior_output){0};
    if (!images || (!is_constant(o->mode) && !features))
        return an_err_code() ? an_err_code() : an_fail(AN_EINVAL, "prior: features are missing");
    if (an_expect(images, "images (B, H, W, C)", AN_F32, 4))
        return an_err_code();
    int64_t B = images->shape[0];
    if (is_constant(o->mode)) {
        forward_constant(p, B, out);
        return out->m ? AN_OK : an_err_code();
    }
    if (an_expect(features, "features (B, h, w, Cf)", AN_F32, 4))
        return an_err_code();
    if (features->shape[0] != B || features->shape[3] != o->features)
        return an_fail(AN_EINVAL, "features %s: expected %lld images with %lld features",
                       an_shape_text(features), (long long)B, (long long)o->features);
    if (o->tokens && has_local(o->mode) && !an_same_shape(images, features))
        return an_fail(AN_EINVAL, "prior: of tokens, images %s and features %s are the same",
                       an_shape_text(images), an_shape_text(features));
    forward_global(p, features, out);
    if (out->g && has_local(o->mode))
        forward_local(p, images, out);
    if (out->g && (out->l || !has_local(o->mode)))
        fuse(o, B, out);
    return out->m && out->mg && out->ml ? AN_OK : an_err_code();
}

int64_t an_prior_crop_features(const an_prior *p)
{
    if (!has_local(p->options.mode))
        return 0;
    return p->options.tokens ? p->options.features : an_resnet_features(p->local);
}

const an_prior_options *an_prior_options_of(const an_prior *p)
{
    return &p->options;
}

an_module *an_prior_module(const an_prior *p)
{
    return p->module;
}
