/* resnet_call: the messages of rank 0 to the others (shared_resnet.h). Internal to
 * shared_resnet*.c. */
#ifndef AN_MODEL_RESNET_CALL_H
#define AN_MODEL_RESNET_CALL_H

#include "base/precision.h"
#include "model/resnet.h"

typedef enum {
    AN_RESNET_FORWARD,  /* then the state and the rank's images; the rank sends its features    */
    AN_RESNET_BACKWARD, /* then the gradient of the features of that forward call            */
    AN_RESNET_END
} an_resnet_command;

/* Sent as raw bytes: all ranks run the same program on machines of the same kind. */
typedef struct {
    an_resnet_command command;
    int64_t id;     /* of the network */
    int64_t number; /* of the forward call */
    an_resnet_options options;
    int64_t batch, height, width; /* of all images                                            */
    int64_t drops;                /* an_tape_drops() of rank 0: older records are dropped     */
    int64_t recomputed;           /* units: an_resnet_recompute()                             */
    int threads;
    an_precision precision;
    bool sliced;  /* training, with sums over the whole batch: base/ranks/cut.h */
    bool records; /* a backward call may follow                                 */
} an_resnet_call;

/* The state of a network in one array: parameters and buffers in order of declaration, then for
 * each whether it is frozen. */
int64_t an_resnet_state_floats(const an_resnet *r);
void an_resnet_state_write(const an_resnet *r, float *to);
void an_resnet_state_read(const an_resnet *r, const float *from);

#endif
