/* class_groups: the classes of a long-tailed set in three groups, by number of images.
 *
 * Rules: `relative` (ours) needs no thresholds that depend on the size of the set; `counts` is from
 * Liu et al. 2019 (1904.05160); `given` names the classes. */
#ifndef AN_DATA_CLASS_GROUPS_H
#define AN_DATA_CLASS_GROUPS_H

#include "base/err.h"

typedef enum { AN_MANY, AN_MEDIUM, AN_FEW } an_shot;
extern const char *const an_shot_names[3]; /* "many", "medium", "few" */

typedef enum { AN_BY_RATIO, AN_BY_COUNTS, AN_BY_NAME } an_group_kind;
extern const char *const an_group_kind_names[4]; /* "relative", "counts", "given", NULL */

typedef struct an_group_rule {
    an_group_kind kind;
    /* relative: many where n_j ≥ n_max / head, few where n_j ≤ n_max / tail; 1 ≤ head ≤ tail. The
     * most frequent class is always in `many`; if no class is rare enough, the rarest ones are
     * `few`, unless all classes are equally frequent. */
    double head, tail;
    double many, few; /* counts: many where n_j > many, few where n_j < few */
    /* given: names of the head and tail classes; the others are `medium`. */
    const char *const *head_names, *const *tail_names;
    int head_count, tail_count;
} an_group_rule;

/* shot[j] of K classes from n[j] ≥ 0. AN_EINVAL: head or tail outside their range, a name that is
 * not a class or is in both lists. */
an_code an_class_groups(const double *n, const char *const *classes, int K,
                        const an_group_rule *rule, an_shot *shot);

#endif
