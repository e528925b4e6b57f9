/* denoiser: see denoiser.h. Checks arguments, owns contexts, calls the methods of the kind. */
#include "model/denoiser.h"

#include "base/memory/tensor_heap.h"
#include "base/memory/mem.h"
#include "model/denoiser_kind.h"
#include "tensor/scope.h"

const char *const an_denoiser_kind_names[] = {"cross_attention", "film", NULL};

static const an_denoiser_methods *const kinds[] = {
    [AN_CROSS_ATTENTION] = &an_cross_attention_methods,
    [AN_FILM] = &an_film_methods,
};

struct an_denoiser {
    an_module *module;
    an_denoiser_options options;
    const an_denoiser_methods *methods;
    void *self;
};

static an_code check(const an_denoiser_options *o)
{
    if (o->classes < 2 || o->features < 1 || o->crop_features < 0)
        return an_fail(AN_EINVAL, "denoiser: at least 2 classes and 1 feature are needed");
    if (o->dim < 1 || o->steps < 1)
        return an_fail(AN_EINVAL, "denoiser: dim and steps must be at least 1");
    if (o->kind != AN_CROSS_ATTENTION)
        return AN_OK;
    if (o->blocks < 1 || o->blocks > AN_MAX_BLOCKS)
        return an_fail(AN_EINVAL, "denoiser: blocks must be 1 to %d, not %lld", AN_MAX_BLOCKS,
                       (long long)o->blocks);
    if (o->heads < 1 || o->dim % o->heads != 0 || o->dim % 4 != 0)
        return an_fail(AN_EINVAL,
                       "denoiser: dim (%lld) must be a multiple of 4 and of heads "
                       "(%lld)",
                       (long long)o->dim, (long long)o->heads);
    if (o->candidates < 0)
        return an_fail(AN_EINVAL, "denoiser: candidates must be at least 0, not %lld",
                       (long long)o->candidates);
    if (!((double)o->dim * o->mlp_ratio >= 1 && o->mlp_ratio <= 64))
        return an_fail(AN_EINVAL, "denoiser: mlp_ratio must be above 0 and at most 64, not %g",
                       o->mlp_ratio);
    return AN_OK;
}

an_denoiser *an_denoiser_new(an_module *m, const char *prefix, const an_denoiser_options *options)
{
    if (check(options))
        return NULL;
    an_denoiser *d = an_calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->options = *options;
    d->methods = kinds[options->kind];
    d->module = m;
    an_module_retain(m);
    d->self = an_calloc(1, d->methods->bytes);
    if (!d->self || d->methods->build(d->self, m, prefix, &d->options)) {
        an_denoiser_free(d);
        return NULL;
    }
    return d;
}

void an_denoiser_free(an_denoiser *d)
{
    if (!d)
        return;
    if (d->self && d->methods->release)
        d->methods->release(d->self);
    an_free(d->self);
    an_module_release(d->module);
    an_free(d);
}

/* ── context ─────────────────────────────────────────────────────────────────── */

static an_code check_encode(const an_denoiser_options *o, an_tensor *features, an_tensor *crops,
                            an_tensor *mg, an_tensor *ml)
{
    if (an_expect(features, "features (B, h, w, Cf)", AN_F32, 4) ||
        an_expect(mg, "mg (B, K)", AN_F32, 2) || an_expect(ml, "ml (B, K)", AN_F32, 2))
        return an_err_code();
    if (features->shape[3] != o->features)
        return an_fail(AN_EINVAL, "features %s: the denoiser was made for %lld features",
                       an_shape_text(features), (long long)o->features);
    if (!an_same_shape(mg, ml) || mg->shape[0] != features->shape[0] || mg->shape[1] != o->classes)
        return an_fail(AN_EINVAL, "mg %s and ml %s: expected (%lld, %lld), images by classes",
                       an_shape_text(mg), an_shape_text(ml), (long long)features->shape[0],
                       (long long)o->classes);
    if (!o->crop_features != !crops)
        return an_fail(AN_EINVAL, crops ? "the denoiser was made without crop vectors: crops given"
                                        : "the denoiser was made for crop vectors: crops is nil");
    if (!crops)
        return AN_OK;
    if (an_expect(crops, "crops (B, n, D_l)", AN_F32, 3))
        return an_err_code();
    if (crops->shape[0] != features->shape[0] || crops->shape[2] != o->crop_features)
        return an_fail(AN_EINVAL, "crops %s: expected %lld images and vectors of %lld",
                       an_shape_text(crops), (long long)features->shape[0],
                       (long long)o->crop_features);
    return AN_OK;
}

static void retain_all(an_denoiser_context *c)
{
    an_retain(c->mg);
    an_retain(c->ml);
    if (c->candidates)
        an_retain(c->candidates);
    for (int i = 0; i < 2 * AN_MAX_BLOCKS; i++)
        if (c->kept[i])
            an_retain(c->kept[i]);
}

an_denoiser_context *an_denoiser_encode(an_denoiser *d, an_tensor *features, an_tensor *crops,
                                        an_tensor *mg, an_tensor *ml)
{
    if (!features || !mg || !ml || check_encode(&d->options, features, crops, mg, ml))
        return NULL;
    /* from the tensor heap: allocated every step, as tensors are */
    an_denoiser_context *c = an_tensor_heap_take(sizeof *c);
    if (!c)
        return NULL;
    *c = (an_denoiser_context){.owner = d, .images = features->shape[0], .mg = mg, .ml = ml};
    size_t mark = an_scope_begin();
    if (d->methods->encode(d->self, c, features, crops)) {
        an_tensor_heap_release(c);
        c = NULL;
    } else {
        retain_all(c);
    }
    an_scope_end(mark, NULL);
    return c;
}

void an_denoiser_context_release(an_denoiser_context *c)
{
    if (!c)
        return;
    an_release(c->mg);
    an_release(c->ml);
    an_release(c->candidates);
    for (int i = 0; i < 2 * AN_MAX_BLOCKS; i++)
        an_release(c->kept[i]);
    an_tensor_heap_release(c);
}

int64_t an_denoiser_context_images(const an_denoiser_context *c)
{
    return c->images;
}

/* ── forward ─────────────────────────────────────────────────────────────────── */

static an_code check_forward(const an_denoiser *d, const an_denoiser_context *c, an_tensor *y,
                             an_tensor *t)
{
    if (c->owner != d)
        return an_fail(AN_EINVAL, "the context was encoded by another denoiser");
    if (an_expect(y, "y (B·R, K)", AN_F32, 2) || an_expect(t, "t (B·R)", AN_I64, 1))
        return an_err_code();
    int64_t rows = y->shape[0];
    if (y->shape[1] != d->options.classes || rows < 1 || rows % c->images != 0)
        return an_fail(AN_EINVAL, "y %s: expected a multiple of %lld rows (images) by %lld classes",
                       an_shape_text(y), (long long)c->images, (long long)d->options.classes);
    if (t->shape[0] != rows && t->shape[0] != 1)
        return an_fail(AN_EINVAL, "t %s: expected one time, or one for each of %lld rows",
                       an_shape_text(t), (long long)rows);
    for (int64_t i = 0; i < t->shape[0]; i++) {
        int64_t time = an_i64(t)[i * t->stride[0]];
        if (time < 0 || time > d->options.steps)
            return an_fail(AN_EINVAL, "t: %lld is not in 0 … %lld", (long long)time,
                           (long long)d->options.steps);
    }
    return AN_OK;
}

bool an_denoiser_times_equal(const an_tensor *t)
{
    const int64_t *times = an_i64(t);
    for (int64_t i = 1; i < t->shape[0]; i++)
        if (times[i * t->stride[0]] != times[0])
            return false;
    return true;
}

an_tensor *an_denoiser_forward(an_denoiser *d, const an_denoiser_context *c, an_tensor *y,
                               an_tensor *t, an_tensor **map)
{
    if (!c || !y || !t || check_forward(d, c, y, t))
        return NULL;
    size_t mark = an_scope_begin();
    an_tensor *out = d->methods->forward(d->self, c, y, t, map);
    if (!out || !map)
        return an_scope_end(mark, out);
    an_retain(*map); /* two tensors are passed to the caller's scope */
    out = an_scope_end(mark, out);
    *map = an_scope_own(*map);
    return *map ? out : NULL;
}

const an_denoiser_options *an_denoiser_options_of(const an_denoiser *d)
{
    return &d->options;
}

an_module *an_denoiser_module(const an_denoiser *d)
{
    return d->module;
}
