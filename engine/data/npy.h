/* npy: the header of an array in NumPy's .npy format, versions 1 to 3; the data follows it.
 *
 * Layout: numpy.lib.format. One to four axes, 2^40 elements at most, C order, little-endian. Image
 * sets hold integers; files of features hold floating-point numbers. */
#ifndef AN_DATA_NPY_H
#define AN_DATA_NPY_H

#include <stdbool.h>
#include <stdint.h>

#include "io/unpack.h"

#define AN_NPY_AXES 4

typedef struct an_npy {
    int axes; /* 1 … AN_NPY_AXES */
    int64_t shape[AN_NPY_AXES];
    char descr[16]; /* the type as in the file: "|u1", "<f4" */
    int bytes;      /* per element: 1, 2, 4, 8 */
    bool is_signed;
    bool fortran;     /* the first axis varies fastest */
    int64_t elements; /* the product of shape */
    int64_t header;   /* bytes before the data */
} an_npy;

/* Reads the header of an array of integers from the start of `u`. AN_EFORMAT: `name` and the
 * reason. */
an_code an_npy_read_header(an_unpack *u, an_npy *npy, const char *name);

/* Reads the header of an array of floating-point numbers (float16, float32 or float64) from the
 * first `count` bytes of a file. AN_EFORMAT: `name` and the reason (not the format, another type,
 * big-endian numbers, Fortran order). Whether the data is complete is not checked. */
an_code an_npy_parse_floats(const uint8_t *start, size_t count, an_npy *npy, const char *name);

/* Element i of data in memory, as a 64-bit number; a uint64 above 2^63 − 1 is negative. */
int64_t an_npy_at(const an_npy *npy, const uint8_t *data, int64_t i);

#endif
