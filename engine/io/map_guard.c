/* map_guard: see map_guard.h. The messages are composed when a file is mapped: a handler may only
 * write and exit. */
#include "io/map_guard.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/visible.h"
#include "io/path.h"

enum { MAPPINGS = 16, WORDS = 160 };

typedef struct guarded {
    uintptr_t begin, end; /* 0, 0: free */
    char message[AN_PATH + WORDS];
    size_t length;
} guarded;

static guarded mappings[MAPPINGS];
static atomic_flag reported = ATOMIC_FLAG_INIT;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    uintptr_t at = (uintptr_t)info->si_addr;
    for (int i = 0; i < MAPPINGS; i++) {
        const guarded *g = &mappings[i];
        if (at < g->begin || at >= g->end)
            continue;
        while (atomic_flag_test_and_set(&reported))
            pause(); /* another thread prints the line and ends the process */
        ssize_t ignored = write(STDERR_FILENO, g->message, g->length);
        (void)ignored;
        _exit(1);
    }
    signal(number, SIG_DFL);
    raise(number); /* delivered when this function returns */
}

static void install(void)
{
    static bool installed;
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    if (installed)
        return;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
    installed = true;
}

static void compose(guarded *g, const char *path, const char *advice)
{
    char shown[AN_PATH];
    an_visible_text(path, shown, sizeof shown);
    int n = snprintf(g->message, sizeof g->message,
                     "aniso: %s was truncated while it was in use, or its disk fails; %s\n", shown,
                     advice);
    g->length = (size_t)n < sizeof g->message ? (size_t)n : sizeof g->message - 1;
}

void an_map_guard(const void *map, size_t size, const char *path, const char *advice)
{
    install();
    for (int i = 0; i < MAPPINGS; i++) {
        guarded *g = &mappings[i];
        if (g->end)
            continue;
        compose(g, path, advice);
        g->begin = (uintptr_t)map;
        g->end = g->begin + size;
        return;
    }
}

void an_map_unguard(const void *map)
{
    for (int i = 0; i < MAPPINGS; i++)
        if (mappings[i].begin == (uintptr_t)map)
            mappings[i].begin = mappings[i].end = 0;
}
