/* par: see par.h. A thin layer over OpenMP. */
#include "base/par.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>

#include "base/assert.h"

int an_threads(void)
{
    return omp_get_max_threads();
}

/* The arguments of an_set_threads() and an_multiply_threads(). */
static struct {
    int set; /* 0: those that OpenMP starts with */
    int factor, most;
} use = {0, 1, 0};

int an_threads_set(void)
{
    return use.set > 0 ? use.set : omp_get_max_threads();
}

static void apply(void)
{
    int64_t most = use.most < AN_THREADS_MOST ? use.most : AN_THREADS_MOST;
    int64_t n = (int64_t)use.set * use.factor < most ? (int64_t)use.set * use.factor : most;
    omp_set_num_threads(n > use.set ? (int)n : use.set);
}

void an_set_threads(int n)
{
    AN_ASSERT(n <= AN_THREADS_MOST);
    omp_set_dynamic(0);
    use.set = n < 1 ? omp_get_num_procs() : n;
    apply();
}

void an_multiply_threads(int factor, int most)
{
    AN_ASSERT(factor >= 1);
    use.set = an_threads_set();
    use.factor = factor;
    use.most = most;
    apply();
}

static void *pass(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* OpenMP ends the process if it cannot start a thread. The threads here exist at the same time and
 * have small stacks, so that a limit on their number is what stops them. */
int an_startable_threads(int n)
{
    enum { STACK = 1 << 20 }; /* it also holds the thread-local variables of all libraries */
    pthread_t ids[AN_THREADS_MOST];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t small;
    int started = 1, why = 0; /* the calling thread is the first */
    AN_ASSERT(n >= 1 && n <= AN_THREADS_MOST);
    if (pthread_attr_init(&small) != 0)
        return n;
    pthread_attr_setstacksize(&small, STACK);
    pthread_mutex_lock(&gate);
    while (started < n && (why = pthread_create(&ids[started], &small, pass, &gate)) == 0)
        started++;
    pthread_mutex_unlock(&gate);
    for (int i = 1; i < started; i++)
        pthread_join(ids[i], NULL);
    pthread_attr_destroy(&small);
    return why == EAGAIN ? started : n;
}

int64_t an_chunks(int64_t n, int64_t grain)
{
    AN_ASSERT(grain >= 1 || n <= 0);
    return n <= 0 ? 0 : (n + grain - 1) / grain;
}

int64_t an_grain(int64_t n, int64_t each, int64_t from)
{
    int64_t quarter = each > 0 ? from / 4 / each : n;
    return n * each <= from ? n : quarter > 0 ? quarter : 1;
}

void an_par_for(int64_t n, int64_t grain, an_chunk_fn work, void *context)
{
    int64_t chunks = an_chunks(n, grain);
    if (chunks <= 1) {
        if (n > 0)
            work(context, 0, n, 0);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t lo = chunk * grain, hi = lo + grain < n ? lo + grain : n;
        work(context, lo, hi, chunk);
    }
}
