/* assert: contracts that run. A precondition that a header states in prose is also an assertion,
 * the first lines of the function:
 *
 *     an_code an_k_conv_forward(float *y, …, const an_conv_shape *s)
 *     {
 *         AN_ASSERT(y && x && w);
 *         AN_ASSERT(s->stride >= 1 && s->Ho >= 1 && s->Wo >= 1);
 *
 * Assertions are for mistakes in our own code. What a user can cause (an argument from Lua, a file,
 * a full disk, no memory) is an error with a message: an_fail(), base/err.h.
 *
 *   AN_ASSERT(condition)       a few comparisons per call of a public function. Active in every
 *                              build, including release: about 5 ns per kernel call; the smallest
 *                              call (a dense layer of 16×16 for 16 rows) takes 160 ns, a typical
 *                              one a few microseconds. Not for inner loops.
 *   AN_ASSERT_SLOW(condition)  a condition whose cost grows with the data (all labels are in
 *                              [0, K)) or that is inside a loop. Active where an_slow_assertions
 *                              is true: always with -DAN_CHECKED (the asan build), otherwise if
 *                              the environment variable ANISO_CHECKED is 1. tests/run sets it, so
 *                              `make test` checks everything in the binary that ships; elsewhere
 *                              it costs one predictable branch.
 *
 * Either prints `file:line: function: assertion failed: condition` on stderr and aborts. The
 * condition must have no side effects: AN_ASSERT_SLOW does not always evaluate it. One condition
 * per macro, or a conjunction that is one idea.
 *
 * Call order is a condition too: the object records its state, and each function asserts the state
 * that it requires.
 *
 *     struct tape { …  bool recording; };           set by begin, cleared by backward
 *     void tape_backward(tape *t)
 *     {
 *         AN_ASSERT(t->recording);                  call order: begin, operations, backward
 *
 * tests/c/test_assert.c shows how a test detects that an assertion fires (in a forked process). */
#ifndef AN_BASE_ASSERT_H
#define AN_BASE_ASSERT_H

#include <stdbool.h>

#ifdef AN_CHECKED
enum { an_slow_assertions = true };
#else
extern bool an_slow_assertions;
#endif

/* Prints the line and aborts. Called through the macros. */
_Noreturn void an_assertion_failed(const char *file, int line, const char *function,
                                   const char *condition) __attribute__((cold));

#define AN_ASSERT(condition)                                                                       \
    (__builtin_expect(!!(condition), 1)                                                            \
         ? (void)0                                                                                 \
         : an_assertion_failed(__FILE__, __LINE__, __func__, #condition))

#define AN_ASSERT_SLOW(condition)                                                                  \
    (__builtin_expect(!an_slow_assertions, 1) ? (void)0 : AN_ASSERT(condition))

#endif
