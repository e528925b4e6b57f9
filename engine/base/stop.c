/* stop: see stop.h. */
#include "base/stop.h"

#include <stddef.h>

static int (*received)(void);

void an_stop_when(int (*signal)(void))
{
    received = signal;
}

bool an_stop_requested(void)
{
    return received != NULL && received() != 0;
}
