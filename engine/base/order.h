/* order: how qsort() compares numbers. */
#ifndef AN_BASE_ORDER_H
#define AN_BASE_ORDER_H

/* Doubles, the lowest first; none may be NaN. */
static inline int an_lowest_first(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#endif
