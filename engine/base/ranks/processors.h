/* processors: rank 0 computes on the processors of other ranks while they wait for it.
 *
 * What rank 0 computes alone (base/ranks/README.md) would use the threads of one rank only, and the
 * other ranks of its machine would idle. Where mpirun binds each rank to processors of its own, the
 * additional threads are bound to those of the other ranks, and rank 0's own threads stay where
 * they are. Results do not depend on the number of threads (base/par.h). */
#ifndef AN_BASE_RANKS_PROCESSORS_H
#define AN_BASE_RANKS_PROCESSORS_H

/* Each rank calls it once, after an_ranks_start(). Where the processors of a rank cannot be read,
 * or OpenMP binds threads itself (OMP_PROC_BIND), nothing is borrowed. */
void an_processors_find(void);

/* For rank 0: borrow once the other ranks wait, return before they compute again. Both may be
 * called twice in a row, and do nothing on another rank or with one rank. */
void an_processors_borrow(void);
void an_processors_return(void);

#endif
