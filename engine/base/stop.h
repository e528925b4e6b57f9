/* stop: how the engine's long loops end early after a signal that ends the program.
 *
 * A loop over outside input (files, images, rows, pieces of a file) whose work may exceed half a
 * second checks before each item. In a parallel loop each iteration checks and skips its work, and
 * the function checks after the loop; the results so far are discarded. A loop that writes what a
 * run keeps, such as a checkpoint after the signal, does not check. */
#ifndef AN_BASE_STOP_H
#define AN_BASE_STOP_H

#include <stdbool.h>

#include "base/err.h"

/* signal: returns the number of a received signal, else 0; called from any thread. NULL: none, as
 * in a module of another program, which handles its signals itself. */
void an_stop_when(int (*signal)(void));

bool an_stop_requested(void);

/* AN_OK, or AN_ESTOPPED once a signal was received. Its message is a fallback: engine/bind raises
 * the interruption that ends the command with its exit code. */
an_code an_stop_check(void);

#endif
