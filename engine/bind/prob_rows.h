/* prob_rows (Lua): class probabilities of many images as an argument: a list of N lists of K
 * numbers, or one string of N K float32, row by row, in the byte order of files. */
#ifndef AN_BIND_PROB_ROWS_H
#define AN_BIND_PROB_ROWS_H

#include <lua.h>
#include <stdint.h>

/* One of the two is NULL. */
typedef struct {
    const char *packed;   /* N K float32, not aligned */
    const double *listed; /* (N, K) */
    int64_t N, K;
} an_prob_rows;

/* The rows at stack index `index`, a part of argument `arg`, which the message names; K ≥ 1. Raises
 * for anything else. Numbers of lists are copied to a buffer on Lua's stack: it is pushed (for a
 * string, nil is), and the rows are valid while it and the argument are. */
an_prob_rows an_check_prob_rows(lua_State *L, int index, int arg, int64_t K);

/* Row i, 0 … N − 1: K numbers, in `to`. */
void an_prob_row(const an_prob_rows *rows, int64_t i, double *to);

/* Element k of row i. */
double an_prob_at(const an_prob_rows *rows, int64_t i, int64_t k);

#endif
