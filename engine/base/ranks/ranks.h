/* ranks: the processes of one `mpirun -n R aniso …`, which share the work of a network.
 *
 * Rank 0 is the program; the others serve it (model/shared_resnet.h). The build with `make MPI=1`
 * communicates through MPI; without it there is one rank, and a function that needs another is
 * never called. An MPI failure ends all ranks, which is MPI's default: what rank 0 has stored is
 * kept, as after a kill. All functions are for the main thread. */
#ifndef AN_BASE_RANKS_RANKS_H
#define AN_BASE_RANKS_RANKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define AN_RANKS_MOST 8 /* one per slice of a batch: base/ranks/cut.h */

/* Joins the other ranks if mpirun, or srun with PMIx, started this process and this build has MPI;
 * otherwise does nothing. AN_EINVAL on all ranks if their number is not 1, 2, 4 or 8, or if they
 * differ in version or in vector instructions. */
an_code an_ranks_start(void);
void an_ranks_end(void); /* on all ranks, after rank 0 has ended the others' work */

/* Prints the latest failure (base/err.h) and ends all ranks with exit code 1: for a failure in the
 * middle of work that the ranks share. Does not return. */
void an_ranks_abandon(void) __attribute__((noreturn));

int an_rank(void);                  /* 0 … an_ranks() − 1           */
int an_ranks(void);                 /* 1, 2, 4 or 8                 */
const char *an_ranks_library(void); /* "Open MPI v4.1.4, …", NULL in a build without */

/* The number of processes that mpirun or srun started, with or without MPI in this build; *launcher
 * [opt]: which of the two. */
int64_t an_ranks_launched(const char **launcher);

/* What this rank has sent to the others and received, by kind of call. */
typedef enum {
    AN_TRAFFIC_SHARE,
    AN_TRAFFIC_SEND,
    AN_TRAFFIC_RECEIVE,
    AN_TRAFFIC_ADD,
    AN_TRAFFIC_GATHER,
    AN_TRAFFIC_KINDS
} an_traffic_kind;
typedef struct {
    int64_t calls, bytes; /* data counts once per call, however many messages its tree sends */
    double seconds;       /* CPU time of the calls, with busy waiting */
} an_traffic;

/* Since the start; zeros with one rank. */
an_traffic an_ranks_traffic(an_traffic_kind kind);

/* Copies n ≥ 0 elements from rank 0 to all others; every rank calls it. */
void an_ranks_share_floats(float *x, int64_t n);

/* The same for data that the others wait long for: they sleep until it arrives, so that their
 * processors are free (base/ranks/processors.h). It arrives up to about 0.1 ms later. */
void an_ranks_announce(void *x, int64_t bytes);

/* The number of ranks on this machine; word (n) ← the words of all of them, combined with bitwise
 * or. Every rank calls it. */
int an_ranks_join_bits(uint64_t *word, int n);

/* From this rank to another, and the matching call on the other rank. */
void an_ranks_send(int to, const float *x, int64_t n);
void an_ranks_receive(int from, float *x, int64_t n);

/* x (n) ← the sum over all ranks, by a binary tree whose leaves are the ranks in order. Every rank
 * calls it and receives the same bits. `other` (n) is work space. */
void an_ranks_add(double *x, double *other, int64_t n);

/* The same sum on rank 0 only, in two calls. Between them this rank may compute, but may call
 * nothing else in this file: start() begins to send what the tree's lowest level sends. On ranks
 * above 0 x is work space after finish(). `other` (n) is work space from start() to finish(). */
void an_ranks_gather_start(float *x, float *other, int64_t n);
void an_ranks_gather_finish(float *x, float *other, int64_t n);

#endif
