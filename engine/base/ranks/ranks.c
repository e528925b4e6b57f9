/* ranks: see ranks.h. The number of ranks is a power of two: at level l of the tree, ranks whose
 * numbers differ only in bit l exchange or combine their sums. A sum of two does not depend on
 * their order, so both sides of an exchange have the same bits. */
#include "base/ranks/ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/environment.h"

/* The number of processes that mpirun started, as text; NULL if it started none. */
static const char *size_of_mpirun(void)
{
    const char *size = an_variable("OMPI_COMM_WORLD_SIZE");
    return size ? size : an_variable("PMI_SIZE");
}

/* The same for srun. A command in a shell that srun started inherits the shell's variables, but is
 * not a task of srun. */
static const char *size_of_srun(void)
{
    const char *task = an_variable("SLURM_TASK_PID");
    const bool is_task = task && strtol(task, NULL, 10) == (long)getpid();
    return is_task ? an_variable("SLURM_STEP_NUM_TASKS") : NULL;
}

int64_t an_ranks_launched(const char **launcher)
{
    const char *size = size_of_mpirun();
    if (launcher)
        *launcher = size ? "mpirun" : "srun";
    size = size ? size : size_of_srun();
    const long count = size ? strtol(size, NULL, 10) : 1;
    return count < 1 ? 1 : count;
}

#ifdef AN_MPI

#include <limits.h>
#include <mpi.h>
#include <string.h>
#include <time.h>

#include "base/simd.h"
#include "base/version.h"

static int rank, ranks = 1;
static MPI_Request pending = MPI_REQUEST_NULL;
static an_traffic traffic[AN_TRAFFIC_KINDS];

/* What the result's bits and the format of the ranks' messages depend on. */
typedef struct {
    char version[16], vectors[16];
} program;

static program program_here(void)
{
    program here = {0};
    snprintf(here.version, sizeof here.version, "%s", AN_VERSION);
    snprintf(here.vectors, sizeof here.vectors, "%s", an_simd_name(an_simd_level()));
    return here;
}

/* Each rank calls it. */
static an_code check_programs(void)
{
    program here = program_here(), first = here;
    MPI_Bcast(&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    int other = memcmp(&here, &first, sizeof here) == 0 ? ranks : rank;
    MPI_Allreduce(MPI_IN_PLACE, &other, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (other == ranks)
        return AN_OK;
    MPI_Bcast(&here, sizeof here, MPI_BYTE, other, MPI_COMM_WORLD);
    return an_fail(AN_EINVAL,
                   "rank %d is aniso %s with %s vectors, rank 0 is aniso %s with %s: ranks have to "
                   "be one program on processors of one kind, or with the same ANISO_SIMD",
                   other, here.version, here.vectors, first.version, first.vectors);
}

/* Whether an MPI launcher started this process. srun is one where it provides PMIx to its tasks. */
static bool is_launched(void)
{
    return size_of_mpirun() || (size_of_srun() && an_variable("PMIX_RANK"));
}

an_code an_ranks_start(void)
{
    int provided;
    if (!is_launched())
        return AN_OK;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (ranks <= AN_RANKS_MOST && (ranks & (ranks - 1)) == 0)
        return check_programs();
    return an_fail(AN_EINVAL,
                   "%d ranks cannot share a batch: it has %d slices, so mpirun -n 1, 2, 4 or 8",
                   ranks, AN_RANKS_MOST);
}

void an_ranks_end(void)
{
    int initialized;
    MPI_Initialized(&initialized);
    if (initialized)
        MPI_Finalize();
}

void an_ranks_abandon(void)
{
    fprintf(stderr, "aniso: rank %d: %s\n", rank, an_err_message());
    MPI_Abort(MPI_COMM_WORLD, 1);
    abort();
}

int an_rank(void)
{
    return rank;
}

int an_ranks(void)
{
    return ranks;
}

const char *an_ranks_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    if (!*text)
        MPI_Get_library_version(text, &length);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* MPI takes counts as int. */
static int count_of(int64_t n)
{
    AN_ASSERT(n >= 0 && n <= INT_MAX);
    return (int)n;
}

/* CPU time of this thread in seconds. */
static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Counts a call that began at `start`, or, with size 0, a further part of one. */
static void count(an_traffic_kind kind, int64_t n, size_t size, double start)
{
    traffic[kind].calls += size > 0;
    traffic[kind].bytes += n * (int64_t)size;
    traffic[kind].seconds += seconds() - start;
}

an_traffic an_ranks_traffic(an_traffic_kind kind)
{
    return traffic[kind];
}

void an_ranks_share_floats(float *x, int64_t n)
{
    double start = seconds();
    MPI_Bcast(x, count_of(n), MPI_FLOAT, 0, MPI_COMM_WORLD);
    count(AN_TRAFFIC_SHARE, n, sizeof *x, start);
}

/* MPI_Bcast would wait busily. */
void an_ranks_announce(void *x, int64_t bytes)
{
    const struct timespec pause = {.tv_nsec = 50000};
    double start = seconds();
    MPI_Request request;
    MPI_Ibcast(x, count_of(bytes), MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    if (rank == 0)
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    for (int is_here = rank == 0; !is_here;) {
        MPI_Test(&request, &is_here, MPI_STATUS_IGNORE);
        if (!is_here)
            nanosleep(&pause, NULL);
    }
    count(AN_TRAFFIC_SHARE, bytes, 1, start);
}

int an_ranks_join_bits(uint64_t *word, int n)
{
    int here = 1;
    if (ranks == 1)
        return here;
    MPI_Comm machine;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &here);
    MPI_Allreduce(MPI_IN_PLACE, word, n, MPI_UINT64_T, MPI_BOR, machine);
    MPI_Comm_free(&machine);
    return here;
}

void an_ranks_send(int to, const float *x, int64_t n)
{
    double start = seconds();
    MPI_Send(x, count_of(n), MPI_FLOAT, to, 0, MPI_COMM_WORLD);
    count(AN_TRAFFIC_SEND, n, sizeof *x, start);
}

void an_ranks_receive(int from, float *x, int64_t n)
{
    double start = seconds();
    MPI_Recv(x, count_of(n), MPI_FLOAT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    count(AN_TRAFFIC_RECEIVE, n, sizeof *x, start);
}

void an_ranks_add(double *x, double *other, int64_t n)
{
    double start = seconds();
    for (int bit = 1; bit < ranks; bit *= 2) {
        MPI_Sendrecv(x, count_of(n), MPI_DOUBLE, rank ^ bit, 0, other, count_of(n), MPI_DOUBLE,
                     rank ^ bit, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int64_t i = 0; i < n; i++)
            x[i] += other[i];
    }
    count(AN_TRAFFIC_ADD, n, sizeof *x, start);
}

void an_ranks_gather_start(float *x, float *other, int64_t n)
{
    double start = seconds();
    AN_ASSERT(pending == MPI_REQUEST_NULL);
    if (ranks == 1)
        return;
    if (rank & 1)
        MPI_Isend(x, count_of(n), MPI_FLOAT, rank ^ 1, 0, MPI_COMM_WORLD, &pending);
    else
        MPI_Irecv(other, count_of(n), MPI_FLOAT, rank ^ 1, 0, MPI_COMM_WORLD, &pending);
    count(AN_TRAFFIC_GATHER, n, sizeof *x, start);
}

/* The levels of the tree, once the transfer that start() began has ended. */
static void gather(float *x, float *other, int64_t n)
{
    for (int bit = 1; bit < ranks; bit *= 2) {
        if (rank & bit) {
            if (bit > 1)
                MPI_Send(x, count_of(n), MPI_FLOAT, rank ^ bit, 0, MPI_COMM_WORLD);
            return;
        }
        if (bit > 1)
            MPI_Recv(other, count_of(n), MPI_FLOAT, rank ^ bit, 0, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        for (int64_t i = 0; i < n; i++)
            x[i] += other[i];
    }
}

void an_ranks_gather_finish(float *x, float *other, int64_t n)
{
    double start = seconds();
    if (ranks == 1)
        return;
    MPI_Wait(&pending, MPI_STATUS_IGNORE);
    gather(x, other, n);
    count(AN_TRAFFIC_GATHER, n, 0, start);
}

#else

an_code an_ranks_start(void)
{
    return AN_OK; /* processes of one mpirun are independent programs */
}

void an_ranks_end(void) {}

void an_ranks_abandon(void)
{
    abort(); /* there is one rank */
}

int an_rank(void)
{
    return 0;
}

int an_ranks(void)
{
    return 1;
}

const char *an_ranks_library(void)
{
    return NULL;
}

an_traffic an_ranks_traffic(an_traffic_kind kind)
{
    (void)kind;
    return (an_traffic){0};
}

void an_ranks_announce(void *x, int64_t bytes)
{
    (void)x, (void)bytes;
}

int an_ranks_join_bits(uint64_t *word, int n)
{
    (void)word, (void)n;
    return 1;
}

void an_ranks_share_floats(float *x, int64_t n)
{
    (void)x, (void)n;
}

void an_ranks_send(int to, const float *x, int64_t n)
{
    (void)to, (void)x, (void)n;
    AN_ASSERT(false); /* there is no other rank */
}

void an_ranks_receive(int from, float *x, int64_t n)
{
    (void)from, (void)x, (void)n;
    AN_ASSERT(false);
}

void an_ranks_add(double *x, double *other, int64_t n)
{
    (void)x, (void)other, (void)n;
}

void an_ranks_gather_start(float *x, float *other, int64_t n)
{
    (void)x, (void)other, (void)n;
}

void an_ranks_gather_finish(float *x, float *other, int64_t n)
{
    (void)x, (void)other, (void)n;
}

#endif
