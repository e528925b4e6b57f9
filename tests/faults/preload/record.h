/* record: the log from which powercut.c rebuilds a folder. A record is this head, then `a` bytes of
 * a path and `b` bytes of a second path or of content; paths are relative to the root. */
#ifndef FAULTS_RECORD_H
#define FAULTS_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum record_kind {
    RECORD_CREATE,   /* a: may exist already                    */
    RECORD_TRUNCATE, /* a, offset: the new size                  */
    RECORD_WRITE,    /* a, b: the bytes at offset                */
    RECORD_SYNC,     /* a: a file or folder is durable           */
    RECORD_MKDIR,    /* a                                        */
    RECORD_REMOVE,   /* a: a file or an empty folder             */
    RECORD_RENAME,   /* a to b                                   */
    RECORD_LINK      /* b is another name of a                   */
} record_kind;

typedef struct record_head {
    uint32_t kind, a, b, unused;
    int64_t offset;
} record_head;

/* All do nothing without FAULT_RECORD. errno is kept. */
void record_open(const char *path, int flags);
void record_write(const char *path, const void *data, size_t bytes, off_t offset);
void record_size(const char *path, off_t size);
void record_names(record_kind kind, const char *a, const char *b);

#endif
