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

an_code an_stop_check(void)
{
    return an_stop_requested() ? an_fail(AN_ESTOPPED, "interrupted; repeat the command") : AN_OK;
}
