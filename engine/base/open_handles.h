/* open_handles: the number of open resources of each kind.
 *
 * Every resource that must be released (a file descriptor, a mapping, a connection, …) is counted
 * when it is opened and when it is closed, so that a test can check for leaks:
 * core.sys.open_handles(). Thread-safe; one atomic addition per call. */
#ifndef AN_BASE_OPEN_HANDLES_H
#define AN_BASE_OPEN_HANDLES_H

#include <stdint.h>

typedef enum {
    AN_OPEN_FILE,       /* a descriptor of io/file, the descriptor of a lock included */
    AN_OPEN_MAPPING,    /* a file in the address space                                */
    AN_OPEN_LOCK,       /* io/lock                                                    */
    AN_OPEN_CONNECTION, /* a database, store/store.h                                  */
    AN_OPEN_STATEMENT,  /* prepared and not released with an_done()                   */
    AN_OPEN_USERDATA,   /* of bind/handle.h, neither closed nor collected             */
    AN_OPEN_KINDS
} an_open_kind;

extern const char *const an_open_kind_names[AN_OPEN_KINDS]; /* "files", "mappings", … */

void an_handle_opened(an_open_kind kind);
void an_handle_closed(an_open_kind kind); /* never more often than an_handle_opened() */
int64_t an_open_handles(an_open_kind kind);

#endif
