/* checksum: a 64-bit checksum of many bytes at the speed of memory.
 *
 * Eight FNV-1a sums (Fowler, Noll, Vo) over every eighth word of 64 bits, and one over those. Each
 * step is invertible, so that a change within one word is always detected; any other change goes
 * undetected with probability 2^-64. It detects damage, not forgery; identities are SHA-256. Words
 * are read in the machine's byte order: a file that carries the sum belongs to machines of one
 * order. */
#ifndef AN_IO_CHECKSUM_H
#define AN_IO_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint64_t an_checksum(const void *bytes, size_t count);

#endif
