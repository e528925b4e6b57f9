/* checkpoint: write and hash the tensors through io/safetensors; verify at opening. */
#include "io/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/stop.h"
#include "io/path.h"

#define FORMAT "1"
#define EXTENSION ".safetensors"

char *an_checkpoint_previous(const char *path)
{
    size_t length = strlen(path), tail = sizeof EXTENSION - 1;
    bool has = length > tail && strcmp(path + length - tail, EXTENSION) == 0;
    size_t size = length + sizeof ".previous" EXTENSION;
    char *previous = an_alloc(size);
    if (!previous)
        return NULL;
    snprintf(previous, size, "%.*s.previous%s", (int)(has ? length - tail : length), path,
             has ? EXTENSION : "");
    return previous;
}

an_code an_checkpoint_save(const char *path, const an_named *tensors, int n, an_store as,
                           const char *state, bool keep_previous, char hex[AN_SHA256_HEX],
                           int64_t *bytes)
{
    AN_ASSERT(state && hex);
    char state_hex[AN_SHA256_HEX];
    an_sha256_buffer(state, strlen(state), state_hex);
    an_pair meta[] = {{"aniso.checkpoint", FORMAT},
                      {"aniso.sha256", hex},
                      {"aniso.state", state},
                      {"aniso.state_sha256", state_hex}};
    char *previous = keep_previous ? an_checkpoint_previous(path) : NULL;
    if (keep_previous && !previous)
        return AN_ENOMEM;
    an_code code = an_safetensors_write_named(path, tensors, n, as, meta, 4, hex, previous);
    an_free(previous);
    an_stamp stamp;
    if (code == AN_OK && bytes)
        *bytes = an_path_find_file(path, &stamp) ? stamp.size : 0;
    return code;
}

const char *an_checkpoint_state(const an_safetensors *f)
{
    return an_safetensors_meta(f, "aniso.state");
}

const char *an_checkpoint_sha256(const an_safetensors *f)
{
    return an_safetensors_meta(f, "aniso.sha256");
}

/* The defect of an opened file, or why reading it failed or was interrupted; else NULL. */
static const char *find_damage(an_safetensors *f)
{
    char hex[AN_SHA256_HEX];
    const char *format = an_safetensors_meta(f, "aniso.checkpoint");
    const char *state = an_checkpoint_state(f), *sum = an_checkpoint_sha256(f);
    const char *state_sum = an_safetensors_meta(f, "aniso.state_sha256");
    if (!format || !state || !sum || !state_sum)
        return "it holds tensors but no training state";
    an_sha256_buffer(state, strlen(state), hex);
    if (strcmp(hex, state_sum) != 0)
        return "its state does not match its checksum";
    if (an_safetensors_content(f, hex) != AN_OK)
        return an_err_message();
    if (strcmp(hex, sum) != 0)
        return "its tensors do not match their checksum";
    return NULL;
}

static void fail_damaged(const char *path, an_code code, const char *damage)
{
    char reason[512]; /* `damage` may be the error record that an_fail is about to overwrite */
    snprintf(reason, sizeof reason, "%s", damage);
    char *previous = an_checkpoint_previous(path);
    if (previous && an_path_readable(previous))
        an_fail(code, "checkpoint %s is damaged: %s; use the previous one, %s", path, reason,
                previous);
    else
        an_fail(code, "checkpoint %s is damaged: %s", path, reason);
    an_free(previous);
}

an_safetensors *an_checkpoint_open(const char *path)
{
    an_safetensors *f = an_safetensors_open(path);
    if (!f) {
        const an_path_kind kind = an_path_kind_at(path);
        if (kind == AN_OTHER || kind == AN_FOLDER)
            an_fail(AN_EFORMAT, "checkpoint %s is %s; remove it", path,
                    kind == AN_FOLDER ? "a folder" : "a pipe or a device, not a file");
        else if (an_err_code() == AN_EFORMAT)
            fail_damaged(path, AN_EFORMAT, an_err_message());
        return NULL;
    }
    const char *format = an_safetensors_meta(f, "aniso.checkpoint");
    if (format && strcmp(format, FORMAT) != 0) {
        an_fail(AN_EFORMAT, "checkpoint %s was written by a newer aniso; use that one", path);
    } else {
        const char *damage = find_damage(f);
        if (!damage)
            return f;
        if (an_stop_check() == AN_OK)
            fail_damaged(path, AN_EFORMAT, damage);
    }
    an_safetensors_close(f);
    return NULL;
}
