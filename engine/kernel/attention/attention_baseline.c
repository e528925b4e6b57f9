/* attention_baseline: the attention of one head with vectors of 4 floats, for any machine. */
#define AN_VECTOR 4
#include "kernel/attention/attention_body.h"
