/* checksum: a 64-bit checksum of many bytes, as fast as memory is read.
 *
 * Eight FNV-1a sums (Fowler, Noll, Vo) over every eighth word of 64 bits, and one over those:
 * each step can be undone, so that a change within one word never goes unseen, and any other
 * with probability 2^-64. It finds damage, not forgery; identities are SHA-256. The bytes
 * are taken as they lie in memory: a pack belongs to one kind of machine. */
#ifndef AN_IO_CHECKSUM_H
#define AN_IO_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint64_t an_checksum(const void *bytes, size_t count);

#endif
