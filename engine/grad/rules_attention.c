/* rules_attention: the attention core and the two embeddings, with their gradients. */
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/attention/attention.h"
#include "kernel/pointwise/embed.h"

/* ── attention ──────────────────────────────────────────────────────────────── */

static an_attention_shape shape_of(const an_tensor *q, const an_tensor *k, int64_t heads)
{
    return (an_attention_shape){.Bk = an_dim(k, 0),
                                .repeat = an_dim(q, 0) / an_dim(k, 0),
                                .Lq = an_dim(q, 1),
                                .Lk = an_dim(k, 1),
                                .heads = heads,
                                .d = an_dim(q, 2) / heads};
}

static an_code check_attention(const an_tensor *q, const an_tensor *k, const an_tensor *v,
                               int heads)
{
    an_code code = an_expect(q, "attention: q (Bq, Lq, D)", AN_F32, 3);
    if (!code)
        code = an_expect(k, "attention: k (Bk, Lk, D)", AN_F32, 3);
    if (!code)
        code = an_expect(v, "attention: v (Bk, Lk, D)", AN_F32, 3);
    if (code)
        return code;
    if (an_numel(k) < 1 || an_numel(q) < 1 || !an_same_shape(k, v) ||
        an_dim(q, 2) != an_dim(k, 2) || an_dim(q, 0) % an_dim(k, 0) != 0)
        return an_fail(AN_EINVAL,
                       "attention: q %s, k %s and v %s do not fit: k and v have one "
                       "shape, all have one width, and q has a multiple of k's rows",
                       an_shape_text(q), an_shape_text(k), an_shape_text(v));
    if (heads < 1 || an_dim(q, 2) % heads != 0 || an_dim(q, 2) / heads > AN_ATTENTION_WIDTH)
        return an_fail(AN_EINVAL,
                       "attention: %d heads do not divide width %lld into heads of at "
                       "most %d",
                       heads, (long long)an_dim(q, 2), AN_ATTENTION_WIDTH);
    return AN_OK;
}

/* If k or v is also q, its gradient is a sum and is cleared first: chunks of dq would overwrite
 * what earlier ones added for the keys. */
static an_code attention_backward(an_node *node)
{
    an_tensor *q = node->in[0], *k = node->in[1], *v = node->in[2];
    an_attention_grads g;
    if ((q == k || q == v) && q->requires_grad && !an_grad_into(q))
        return AN_ENOMEM;
    g.dq = an_grad_write(q, &g.beta_q);
    g.dk = an_grad_write(k, &g.beta_k);
    g.dv = an_grad_write(v, &g.beta_v);
    if ((!g.dq && q->requires_grad) || (!g.dk && k->requires_grad) || (!g.dv && v->requires_grad))
        return AN_ENOMEM;
    an_attention_shape shape = shape_of(q, k, node->i[0]);
    return an_k_attention_backward(&g, an_grad_of(node), an_f32(q), an_f32(k), an_f32(v), &shape);
}

an_tensor *an_attention(an_tensor *q, an_tensor *k, an_tensor *v, int heads, an_tensor **map)
{
    q = an_contiguous(q);
    k = an_contiguous(k);
    v = an_contiguous(v);
    if (!q || !k || !v || check_attention(q, k, v, heads))
        return NULL;
    an_attention_shape s = shape_of(q, k, heads);
    int64_t shape_map[] = {an_dim(q, 0), s.Lq, s.Lk};
    an_tensor *out = an_tensor_like(q);
    if (!out || an_k_attention_forward(an_f32(out), an_f32(q), an_f32(k), an_f32(v), &s))
        return NULL;
    if (map) {
        *map = an_tensor_new(AN_F32, 3, shape_map);
        if (!*map || an_k_attention_map(an_f32(*map), an_f32(q), an_f32(k), &s))
            return NULL;
    }
    if (an_requires_grad(q) || an_requires_grad(k) || an_requires_grad(v)) {
        an_tensor *in[] = {q, k, v};
        an_node *node = an_record(out, attention_backward, 3, in);
        if (!node)
            return NULL;
        node->i[0] = heads;
    }
    return out;
}

/* ── embeddings ─────────────────────────────────────────────────────────────── */

static an_code embedding_backward(an_node *node)
{
    an_tensor *w = node->in[0], *index = node->in[1];
    float *dw = an_grad_into(w);
    if (!dw)
        return AN_ENOMEM;
    an_k_embed_backward(dw, an_grad_of(node), an_i64(index), an_numel(index), an_dim(w, 0),
                        an_dim(w, 1));
    return AN_OK;
}

static an_code check_index(const an_tensor *w, const an_tensor *index)
{
    an_code code = an_expect(w, "embedding: w (V, D)", AN_F32, 2);
    if (code)
        return code;
    if (index->dtype != AN_I64 || index->ndim >= AN_MAX_DIMS)
        return an_fail(AN_EINVAL,
                       "embedding: the index must be int64 with fewer than %d "
                       "dimensions, got %s %s",
                       AN_MAX_DIMS, index->dtype == AN_I64 ? "int64" : "float32",
                       an_shape_text(index));
    const int64_t *i = an_i64(index);
    for (int64_t at = 0; at < an_numel(index); at++)
        if (i[at] < 0 || i[at] >= an_dim(w, 0))
            return an_fail(AN_EINVAL, "embedding: index %lld is outside 0 … %lld", (long long)i[at],
                           (long long)(an_dim(w, 0) - 1));
    return AN_OK;
}

an_tensor *an_embedding(an_tensor *w, an_tensor *index)
{
    w = an_contiguous(w);
    index = an_contiguous(index);
    if (!w || !index || check_index(w, index))
        return NULL;
    int64_t shape[AN_MAX_DIMS], D = an_dim(w, 1);
    for (int d = 0; d < index->ndim; d++)
        shape[d] = index->shape[d];
    shape[index->ndim] = D;
    an_tensor *y = an_tensor_new(AN_F32, index->ndim + 1, shape);
    if (!y)
        return NULL;
    an_k_embed_forward(an_f32(y), an_f32(w), an_i64(index), an_numel(index), an_dim(w, 0), D);
    if (an_requires_grad(w)) {
        an_tensor *in[] = {w, index};
        if (!an_record(y, embedding_backward, 2, in))
            return NULL;
    }
    return y;
}

an_tensor *an_timestep_embedding(an_tensor *t, int64_t D, double max_period)
{
    t = an_contiguous(t);
    if (!t || an_expect(t, "timestep_embedding: t (B)", AN_I64, 1))
        return NULL;
    if (D < 2 || D % 2 != 0 || !(max_period > 1))
        return an_fail(AN_EINVAL,
                       "timestep_embedding: the width must be even and positive and the "
                       "longest period > 1, got %lld and %g",
                       (long long)D, max_period),
               NULL;
    an_tensor *y = an_tensor_new(AN_F32, 2, (int64_t[]){an_dim(t, 0), D});
    if (y)
        an_k_timestep_embed(an_f32(y), an_i64(t), an_dim(t, 0), D, max_period);
    return y;
}
