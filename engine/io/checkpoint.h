/* checkpoint: a safetensors file that carries its own checksums.
 *
 * The metadata holds a state (JSON text: position, optimiser step, run, configuration) and the
 * SHA-256 of tensors and state; opening verifies both. Saving is durable (io/file_replace.h,
 * AN_DURABLE) and can keep the former file under an_checkpoint_previous(): a kill or a full disk at
 * any moment leaves a good checkpoint. */
#ifndef AN_IO_CHECKPOINT_H
#define AN_IO_CHECKPOINT_H

#include <stdbool.h>

#include "io/safetensors.h"

/* Saves n ≥ 0 tensors at a precision, and the state. `hex` receives the hash of the tensors only:
 * two runs with the same weights have the same hash. `bytes` [opt]: the size of the file, 0 for a
 * device or a pipe. AN_EIO, AN_EINVAL (a duplicate name, a number that float16 cannot hold),
 * AN_ENOMEM. */
an_code an_checkpoint_save(const char *path, const an_named *tensors, int n, an_store as,
                           const char *state, bool keep_previous, char hex[AN_SHA256_HEX],
                           int64_t *bytes);

/* Opens and verifies; reads the whole file once. NULL after AN_ENOTFOUND, AN_EIO, AN_ENOMEM or
 * AN_EFORMAT: "checkpoint X is damaged: …; use the previous one, Y", or a checkpoint of a newer
 * aniso. Read the tensors with an_safetensors_read(), close with an_safetensors_close(). */
an_safetensors *an_checkpoint_open(const char *path);
const char *an_checkpoint_state(const an_safetensors *f);  /* the JSON text given to save */
const char *an_checkpoint_sha256(const an_safetensors *f); /* the tensors' hash           */

/* "a/last.safetensors" → "a/last.previous.safetensors"; an_free() it. NULL: no memory. */
char *an_checkpoint_previous(const char *path);

#endif
