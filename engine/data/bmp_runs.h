/* bmp_runs: the run-length codes RLE8 and RLE4 of BMP files. */
#ifndef AN_DATA_BMP_RUNS_H
#define AN_DATA_BMP_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills indices (height, width), rows in the order of the file, from codes of `bits` = 8 or 4 bits
 * per pixel. Positions that no run covers keep their value; runs beyond the end of a row are cut.
 * False: the bytes end before both the end-of-bitmap code and the last pixel. Linear in count +
 * width · height. */
bool an_bmp_runs(const uint8_t *bytes, size_t count, int bits, int64_t width, int64_t height,
                 uint8_t *indices);

#endif
