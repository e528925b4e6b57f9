/* err: how C functions report failures.
 *
 * A function that can fail returns an an_code (AN_OK is 0) or NULL, after calling an_fail() with a
 * message for the user that names what failed and what to do. The record is thread-local and holds
 * only the latest failure. Mistakes in our own code are assertions: base/assert.h. */
#ifndef AN_BASE_ERR_H
#define AN_BASE_ERR_H

typedef enum {
    AN_OK = 0,
    AN_EINVAL,    /* an invalid argument: raised as a Lua error               */
    AN_ENOMEM,    /* no memory                                                */
    AN_EIO,       /* the operating system refused (open, read, write, fsync)  */
    AN_EFORMAT,   /* the content of a file is malformed                       */
    AN_ENOTFOUND, /* a named thing does not exist                             */
    AN_EBUSY,     /* another process has it locked                            */
    AN_EDB,       /* the database returned an error                           */
    AN_ESTOPPED   /* a signal requested the end: base/stop.h                  */
} an_code;

/* Records a failure and returns `code`. Called through an_fail(). */
an_code an_err_set(const char *file, int line, an_code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* return an_fail(AN_EIO, "%s: %s", path, strerror(errno));
 * return an_fail(AN_ENOMEM, "…"), NULL;      in a function that returns a pointer */
#define an_fail(code, ...) an_err_set(__FILE__, __LINE__, (code), __VA_ARGS__)

an_code an_err_code(void);        /* of the latest failure, AN_OK if none       */
const char *an_err_message(void); /* the message, "" if none                    */
const char *an_err_where(void);   /* "file:line" in our sources, for --debug    */
void an_err_clear(void);
const char *an_code_name(an_code c); /* "EINVAL", "ENOMEM", …                      */

#endif
