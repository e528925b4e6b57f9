/* gated_pool: see gated_pool.h. */
#include "model/gated_pool.h"

#include "grad/ops.h"

an_gated_pool an_gated_pool_new(an_module *m, const char *name, int64_t width, int64_t hidden)
{
    return (an_gated_pool){
        .v = an_dense_new(m, an_name("%s.v", name).text, width, hidden),
        .u = an_dense_new(m, an_name("%s.u", name).text, width, hidden),
        .w = an_dense_no_bias(m, an_name("%s.w", name).text, hidden, 1),
    };
}

an_tensor *an_gated_pool_apply(const an_gated_pool *p, an_tensor *bag, an_tensor **attention)
{
    if (!bag)
        return NULL;
    int64_t B = bag->shape[0], n = bag->shape[1], D = bag->shape[2];
    an_tensor *content = an_map(an_dense_apply(&p->v, bag), AN_TANH);
    an_tensor *gate = an_map(an_dense_apply(&p->u, bag), AN_SIGMOID);
    an_tensor *score = an_dense_apply(&p->w, an_mul(content, gate)); /* (B, n, 1) */
    *attention = an_softmax(an_reshape(score, 2, (int64_t[]){B, n}));
    an_tensor *row = an_reshape(*attention, 3, (int64_t[]){B, 1, n});
    return an_reshape(an_matmul(row, bag, false, false), 2, (int64_t[]){B, D});
}
