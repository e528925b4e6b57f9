/* stop: whether the long loops of the engine end early, because a signal is to end the program.
 * A loop over images calls an_stop_requested() before each of them, and its function fails. */
#ifndef AN_BASE_STOP_H
#define AN_BASE_STOP_H

#include <stdbool.h>

/* signal: returns the number of a received signal, else 0; called from any thread. NULL: none, as
 * in a module of another program, which handles its signals itself. */
void an_stop_when(int (*signal)(void));
bool an_stop_requested(void);

#endif
