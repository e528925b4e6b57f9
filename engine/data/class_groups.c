/* class_groups: see class_groups.h. */
#include "data/class_groups.h"

#include <string.h>

#include "base/assert.h"

const char *const an_shot_names[3] = {[AN_MANY] = "many", [AN_MEDIUM] = "medium", [AN_FEW] = "few"};
const char *const an_group_kind_names[4] = {
    [AN_BY_RATIO] = "relative", [AN_BY_COUNTS] = "counts", [AN_BY_NAME] = "given"};

static an_code by_ratio(const double *n, int K, const an_group_rule *rule, an_shot *shot)
{
    double most = n[0], least = n[0];
    if (!(rule->head >= 1 && rule->tail >= rule->head))
        return an_fail(AN_EINVAL,
                       "data.groups: head = %g and tail = %g must satisfy 1 <= head <= tail",
                       rule->head, rule->tail);
    for (int j = 1; j < K; j++) {
        most = n[j] > most ? n[j] : most;
        least = n[j] < least ? n[j] : least;
    }
    double tail = most / rule->tail;
    tail = tail < least ? least : tail;
    for (int j = 0; j < K; j++) {
        shot[j] = n[j] >= most / rule->head ? AN_MANY : AN_MEDIUM;
        if (n[j] <= tail && n[j] < most)
            shot[j] = AN_FEW;
    }
    return AN_OK;
}

static an_code name_end(const char *const *names, int count, const char *const *classes, int K,
                        an_shot end, an_shot *shot)
{
    for (int i = 0; i < count; i++) {
        int j = 0;
        while (j < K && strcmp(names[i], classes[j]) != 0)
            j++;
        if (j == K)
            return an_fail(AN_EINVAL, "data.groups: there is no class '%s'", names[i]);
        if (shot[j] != AN_MEDIUM && shot[j] != end)
            return an_fail(AN_EINVAL, "data.groups: class '%s' is in both head and tail", names[i]);
        shot[j] = end;
    }
    return AN_OK;
}

an_code an_class_groups(const double *n, const char *const *classes, int K,
                        const an_group_rule *rule, an_shot *shot)
{
    AN_ASSERT(K >= 1);
    for (int j = 0; j < K; j++)
        AN_ASSERT_SLOW(n[j] >= 0);
    if (rule->kind == AN_BY_RATIO)
        return by_ratio(n, K, rule, shot);
    for (int j = 0; j < K; j++) {
        shot[j] = AN_MEDIUM;
        if (rule->kind == AN_BY_COUNTS && n[j] > rule->many)
            shot[j] = AN_MANY;
        if (rule->kind == AN_BY_COUNTS && n[j] < rule->few)
            shot[j] = AN_FEW;
    }
    if (rule->kind == AN_BY_COUNTS)
        return AN_OK;
    an_code code = name_end(rule->head_names, rule->head_count, classes, K, AN_MANY, shot);
    return code == AN_OK ? name_end(rule->tail_names, rule->tail_count, classes, K, AN_FEW, shot)
                         : code;
}
