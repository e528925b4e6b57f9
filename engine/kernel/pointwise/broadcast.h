/* broadcast: binary arithmetic over strided operands, and its gradients.
 *
 * Operands have the shape of the result (0 to 6 dimensions) and their own strides in elements, 0
 * along a broadcast dimension; y and dy are contiguous in that shape. */
#ifndef AN_KERNEL_POINTWISE_BROADCAST_H
#define AN_KERNEL_POINTWISE_BROADCAST_H

#include <stdint.h>

typedef enum { AN_ADD, AN_SUB, AN_MUL, AN_DIV } an_binary_kind;

typedef struct {
    int ndim;
    int64_t shape[6];
    int64_t sa[6], sb[6]; /* strides of a and b */
} an_broadcast;

/* Drops dimensions of size 1 and merges adjacent dimensions that are contiguous in both operands.
 */
void an_k_broadcast_simplify(an_broadcast *g);

/* y = a ∘ b; y overlaps neither operand. */
void an_k_binary_forward(an_binary_kind kind, float *y, const float *a, const float *b,
                         const an_broadcast *g);
/* The gradient of one operand: d (strides of a for side 0, of b for side 1) = dy · ∂y/∂a or
 * dy · ∂y/∂b, summed over broadcast dimensions in index order, + beta·d. beta is 1, or 0 (d is not
 * read, and may be dy) if the operand is as large as the result. Addition and subtraction do not
 * read a and b. */
void an_k_binary_backward(an_binary_kind kind, int side, float *d, float beta, const float *dy,
                          const float *a, const float *b, const an_broadcast *g);

#endif
