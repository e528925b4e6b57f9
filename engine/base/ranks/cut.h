/* cut: a batch cut into eight slices, whose sums are added in a fixed binary tree.
 *
 * Slice s is images s·grain … (s+1)·grain − 1, grain = ⌈B / 8⌉; the last slices may be short or
 * empty, and an empty one adds zeros. The tree is ((0+1)+(2+3))+((4+5)+(6+7)). A rank of R = 1, 2,
 * 4 or 8 holds 8/R consecutive slices, a subtree, so that the sum has the same bits for every R. A
 * convolution's weight gradient and the sums of batch normalisation, forward and backward, are
 * summed in this way inside a network whose module is sliced (model/module.h). */
#ifndef AN_BASE_RANKS_CUT_H
#define AN_BASE_RANKS_CUT_H

#include <stdbool.h>
#include <stdint.h>

#define AN_SLICES 8

typedef struct an_cut {
    int64_t grain;  /* images per slice; 0: sums are not sliced                          */
    int64_t batch;  /* images of the whole batch; 0: all are here, other fields are unused */
    int64_t own;    /* of them on this rank, ≥ 1                                         */
    int64_t slices; /* of this rank, a power of two                                            */
    bool shared;    /* the other ranks hold the other slices                                   */
} an_cut;

/* The cut of B ≥ 1 images; the ranks share it if `shared` is true and none would be idle. */
an_cut an_cut_of(int64_t B, bool shared);
/* Images lo … hi−1 of the batch are those of `rank` in a shared cut. */
void an_cut_images(int64_t *lo, int64_t *hi, const an_cut *cut, int rank);

/* The same images for evaluation, where nothing is summed over them. */
an_cut an_cut_unsliced(an_cut cut);

/* Slice s of this rank is images lo … hi−1 of its own; the slice is empty where lo = hi. */
void an_cut_slice(int64_t *lo, int64_t *hi, const an_cut *cut, int64_t s);

/* Sets the cut that operations use and record from now on; all zeros at the start. Returns the
 * former one. */
an_cut an_cut_use(an_cut cut);
an_cut an_cut_now(void);

#endif
