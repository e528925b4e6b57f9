/* child: processes that this one starts, and what they print on stderr.
 *
 * A child has no input, its stdout is /dev/null, and its stderr is a pipe that the parent reads. It
 * inherits the environment and the current folder, but no other descriptor and no blocked signal.
 * It is in its own process group, so that Ctrl-C reaches only the parent, which passes it on. On
 * Linux the kernel kills a child when its parent ends, whatever the cause. One thread starts all
 * children of a process: the kernel treats the end of that thread as the end of the parent. */
#ifndef AN_IO_CHILD_H
#define AN_IO_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum { AN_CHILDREN_MOST = 256 }; /* accepted by an_children_wait() */

typedef struct an_child {
    pid_t pid;
    int output; /* the reading end of its stderr; -1 after its end */
    bool ended;
    int status; /* of waitpid(), once it has ended */
} an_child;

/* Starts the program at `path` with the arguments argv[0], …, NULL. AN_EIO, with the reason, if no
 * process can be created or the program cannot be executed. */
an_code an_child_start(const char *path, char *const argv[], an_child *child);

/* Reads what it has printed, without waiting → bytes, at most `most`; 0: nothing for now, or
 * child->output is -1 and nothing more will come. */
size_t an_child_read(an_child *child, char *to, size_t most);

/* Whether it has ended, without waiting. An ended child leaves no zombie. */
bool an_child_has_ended(an_child *child);

/* Sends a signal; does nothing if the child has ended. */
void an_child_signal(const an_child *child, int number);

/* Waits until one of n children prints or ends, a signal arrives, or `seconds` have passed. NULL
 * entries are skipped. 0 ≤ n ≤ AN_CHILDREN_MOST. */
void an_children_wait(int n, an_child *const children[], double seconds);

/* Kills it if it still runs, waits for its end, and closes its pipe. */
void an_child_close(an_child *child);

#endif
