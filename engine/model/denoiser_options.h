/* denoiser_options: the options of a denoiser, for denoiser.h and its kinds. */
#ifndef AN_MODEL_DENOISER_OPTIONS_H
#define AN_MODEL_DENOISER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { AN_MAX_BLOCKS = 16 };

typedef enum { AN_CROSS_ATTENTION, AN_FILM } an_denoiser_kind;
extern const char *const an_denoiser_kind_names[]; /* "cross_attention", "film", NULL */

typedef struct {
    an_denoiser_kind kind;
    int64_t classes;       /* K                                                     */
    int64_t features;      /* Cf, channels of the backbone's features               */
    int64_t crop_features; /* D_l, width of the crop vectors; 0: no crops           */
    int64_t dim;           /* D ≥ 1; for cross_attention a multiple of 4 and of heads */
    int64_t steps;         /* T: times are 0 … T                                    */
    int64_t blocks, heads; /* cross_attention only                                  */
    double mlp_ratio;      /* cross_attention only: hidden width of the MLP over D  */
    int64_t candidates;    /* cross_attention only: classes with a token of their own, the other
                            * K − candidates share one; 0, or K and more: every class has one */
    bool logits;           /* the output is logits of the classes, not estimates per class     */
    bool unordered;        /* cross_attention only: the cells of the grid are a set and get no
                            * positions: the output does not depend on their order  */
} an_denoiser_options;

typedef struct an_denoiser an_denoiser;
typedef struct an_denoiser_context an_denoiser_context;

#endif
