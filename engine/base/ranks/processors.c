/* processors: see processors.h. */
#include "base/ranks/processors.h"

#include <omp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/par.h"
#include "base/ranks/ranks.h"

enum { WORDS = sizeof(cpu_set_t) / sizeof(uint64_t) };

static struct {
    int ranks;        /* of this machine; 1: nothing can be borrowed          */
    int count;        /* processors of all of them                            */
    cpu_set_t others; /* those that are not rank 0's own; none where all share */
} machine = {.ranks = 1};

void an_processors_find(void)
{
    cpu_set_t own;
    uint64_t word[WORDS] = {0};
    bool is_known = sched_getaffinity(0, sizeof own, &own) == 0;
    if (is_known)
        memcpy(word, &own, sizeof own);
    int ranks = an_ranks_join_bits(word, WORDS);
    if (!is_known || an_rank() > 0 || omp_get_proc_bind() != omp_proc_bind_false)
        return;
    cpu_set_t all;
    memcpy(&all, word, sizeof all);
    machine.ranks = ranks;
    machine.count = CPU_COUNT(&all);
    CPU_XOR(&machine.others, &all, &own); /* own is a part of all */
}

/* A new thread inherits the processors of the thread that started it. */
static void place_threads(void)
{
    int own = an_threads_set();
#pragma omp parallel
    {
        static _Thread_local bool is_placed;
        if (omp_get_thread_num() >= own && !is_placed)
            is_placed = sched_setaffinity(0, sizeof machine.others, &machine.others) == 0;
    }
}

void an_processors_borrow(void)
{
    if (machine.ranks == 1)
        return;
    an_multiply_threads(machine.ranks, machine.count);
    if (an_threads() > an_threads_set() && CPU_COUNT(&machine.others) > 0)
        place_threads();
}

void an_processors_return(void)
{
    if (machine.ranks > 1)
        an_multiply_threads(1, machine.count);
}
