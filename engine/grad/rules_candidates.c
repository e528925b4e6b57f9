/* rules_candidates: class values as candidates and a rest, and back, with their gradients. */
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/pointwise/candidates.h"

static an_candidates_shape shape_of(const an_tensor *rows, const an_tensor *index, int64_t K)
{
    return (an_candidates_shape){
        .rows = an_dim(rows, 0), .images = an_dim(index, 0), .K = K, .C = an_dim(index, 1) - 1};
}

/* index int64 (B, C+1), 1 ≤ C < K, ascending and ending with K; B divides the rows. */
static an_code check_index(const char *what, const an_tensor *rows, const an_tensor *index,
                           int64_t K)
{
    an_code code = an_expect(index, "index (B, C+1)", AN_I64, 2);
    if (code)
        return code;
    int64_t B = an_dim(index, 0), width = an_dim(index, 1), n = an_dim(rows, 0);
    if (B < 1 || n < 1 || n % B != 0 || width < 2 || width > K)
        return an_fail(AN_EINVAL, "%s: index %s does not fit %lld rows of %lld classes", what,
                       an_shape_text(index), (long long)n, (long long)K);
    const int64_t *of = an_i64(index);
    for (int64_t b = 0; b < B; b++, of += width)
        for (int64_t c = 0; c < width; c++)
            if (of[c] < (c ? of[c - 1] + 1 : 0) || (c == width - 1) != (of[c] == K))
                return an_fail(AN_EINVAL,
                               "%s: the candidates of image %lld must rise within 0 … %lld and end "
                               "with %lld",
                               what, (long long)b, (long long)(K - 1), (long long)K);
    return AN_OK;
}

an_tensor *an_candidates_choose(an_tensor *score, int64_t C)
{
    score = an_contiguous(score);
    if (!score || an_expect(score, "candidates: score (B, K)", AN_F32, 2))
        return NULL;
    int64_t B = an_dim(score, 0), K = an_dim(score, 1);
    if (B < 1 || C < 1 || C >= K)
        return an_fail(AN_EINVAL, "candidates: %lld of the classes of %s; 1 to K − 1 can be chosen",
                       (long long)C, an_shape_text(score)),
               NULL;
    an_tensor *index = an_tensor_new(AN_I64, 2, (int64_t[]){B, C + 1});
    an_candidates_shape s = {.rows = B, .images = B, .K = K, .C = C};
    if (index)
        an_k_candidates_choose(an_i64(index), an_f32(score), &s);
    return index;
}

/* ── gather ───────────────────────────────────────────────────────────────────────── */

static an_code gather_backward(an_node *n)
{
    an_tensor *x = n->in[0], *index = n->in[1];
    float *dx = an_grad_into(x);
    if (!dx)
        return AN_ENOMEM;
    an_candidates_shape s = shape_of(x, index, an_dim(x, 1));
    an_k_candidates_gather_backward(dx, an_grad_of(n), an_i64(index), n->f[0], &s);
    return AN_OK;
}

an_tensor *an_candidates_gather(an_tensor *x, an_tensor *index, double scale)
{
    x = an_contiguous(x);
    index = an_contiguous(index);
    if (!x || !index || an_expect(x, "candidates: x (rows, K)", AN_F32, 2) ||
        check_index("candidates", x, index, an_dim(x, 1)))
        return NULL;
    an_candidates_shape s = shape_of(x, index, an_dim(x, 1));
    an_tensor *y = an_tensor_new(AN_F32, 2, (int64_t[]){s.rows, s.C + 1});
    if (!y)
        return NULL;
    an_k_candidates_gather(an_f32(y), an_f32(x), an_i64(index), scale, &s);
    if (an_requires_grad(x)) {
        an_node *n = an_record(y, gather_backward, 2, (an_tensor *[]){x, index});
        if (!n)
            return NULL;
        n->f[0] = scale;
        an_unread(n, AN_IN(0) | AN_OUT);
    }
    return y;
}

/* ── spread ───────────────────────────────────────────────────────────────────────── */

static an_code spread_backward(an_node *n)
{
    an_tensor *x = n->in[0], *p = n->in[1], *index = n->in[2];
    float *dx = an_grad_into(x), *dp = an_grad_into(p);
    if ((!dx && x->requires_grad) || (!dp && p->requires_grad))
        return AN_ENOMEM;
    an_candidates_shape s = shape_of(x, index, an_dim(p, 1));
    an_k_candidates_spread_backward(dx, dp, an_grad_of(n), an_f32(x), an_f32(p), an_i64(index),
                                    n->i[0], &s);
    return AN_OK;
}

an_tensor *an_candidates_spread(an_tensor *x, an_tensor *p, an_tensor *index, bool logits)
{
    x = an_contiguous(x);
    p = an_contiguous(p);
    index = an_contiguous(index);
    if (!x || !p || !index || an_expect(x, "candidates: x (rows, C+1)", AN_F32, 2) ||
        an_expect(p, "candidates: p (B, K)", AN_F32, 2) ||
        check_index("candidates", x, index, an_dim(p, 1)))
        return NULL;
    if (an_dim(x, 1) != an_dim(index, 1) || an_dim(p, 0) != an_dim(index, 0))
        return an_fail(AN_EINVAL, "candidates: x %s and p %s do not fit index %s", an_shape_text(x),
                       an_shape_text(p), an_shape_text(index)),
               NULL;
    an_candidates_shape s = shape_of(x, index, an_dim(p, 1));
    an_tensor *y = an_tensor_new(AN_F32, 2, (int64_t[]){s.rows, s.K});
    if (!y)
        return NULL;
    an_k_candidates_spread(an_f32(y), an_f32(x), an_f32(p), an_i64(index), logits, &s);
    if (an_requires_grad(x) || an_requires_grad(p)) {
        an_node *n = an_record(y, spread_backward, 3, (an_tensor *[]){x, p, index});
        if (!n)
            return NULL;
        n->i[0] = logits;
        an_unread(n, AN_OUT);
    }
    return y;
}

/* ── maps ─────────────────────────────────────────────────────────────────────────── */

an_tensor *an_candidates_maps(const an_tensor *maps, const an_tensor *index, int64_t K)
{
    if (!maps || !index)
        return NULL;
    int64_t N = an_dim(maps, 2);
    an_candidates_shape s = shape_of(maps, index, K);
    an_tensor *y = an_tensor_new(AN_F32, 3, (int64_t[]){s.rows, K, N});
    if (y)
        an_k_candidates_copy(an_f32(y), an_f32(maps), an_i64(index), N, &s);
    return y;
}
