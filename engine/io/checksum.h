/* checksum: a 64-bit checksum of many bytes at memory speed.
 *
 * Eight FNV-1a sums (Fowler, Noll, Vo) over every eighth word of 64 bits, and one over those sums.
 * Each step is invertible, so a change within one word is always detected; any other change goes
 * undetected with probability 2^-64. It detects damage, not forgery; identities use SHA-256. Words
 * are read in the machine's byte order, so a file with such a sum can only be read on machines of
 * the same order. */
#ifndef AN_IO_CHECKSUM_H
#define AN_IO_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint64_t an_checksum(const void *bytes, size_t count);

#endif
