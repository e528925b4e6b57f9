/* broadcast: binary arithmetic over strided operands, and its gradients.
 *
 * Operands have the result's shape (ndim ≤ 6) with their own strides in elements, 0 along
 * a broadcast dimension; y and dy are contiguous in that shape. */
#ifndef AN_KERNEL_BROADCAST_H
#define AN_KERNEL_BROADCAST_H

#include <stdint.h>

typedef enum { AN_ADD, AN_SUB, AN_MUL, AN_DIV } an_binary_kind;

typedef struct {
    int ndim;
    int64_t shape[6];
    int64_t sa[6], sb[6]; /* strides of a and b */
} an_broadcast;

/* Drops dimensions of size 1 and joins neighbours that all operands walk evenly. */
void an_k_broadcast_simplify(an_broadcast *g);

/* y = a ∘ b */
void an_k_binary_forward(an_binary_kind kind, float *y, const float *a, const float *b,
                         const an_broadcast *g);
/* da += dy · ∂y/∂a and db += dy · ∂y/∂b, summed over broadcast dimensions in index order.
 * Either target may be NULL. da has a's strides, db has b's. */
void an_k_binary_backward(an_binary_kind kind, float *da, float *db, const float *dy,
                          const float *a, const float *b, const an_broadcast *g);

#endif
