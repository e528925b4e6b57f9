/* zip: the members of a zip archive, read one by one.
 *
 * The offsets, sizes and CRC-32 in the central directory are compared with what is read. Members
 * are found by name, and no name becomes a path. Stored and deflated members can be read;
 * encryption, other methods, archives in several files and zip64 (4 GiB and more) are refused.
 * Limits: 65,534 members, a directory of 16 MiB.
 *
 * Layout: PKWARE APPNOTE 6.3.10, §4.3. */
#ifndef AN_IO_ZIP_H
#define AN_IO_ZIP_H

#include <stdint.h>

#include "io/unpack.h"

typedef struct an_zip an_zip;

/* Reads the directory. NULL after AN_ENOTFOUND, AN_EIO, AN_ENOMEM or AN_EFORMAT: not a zip archive,
 * one of the refused kinds, a member outside the file, two members with one name. */
an_zip *an_zip_open(const char *path);
void an_zip_close(an_zip *zip); /* NULL is allowed */

int an_zip_count(const an_zip *zip);
const char *an_zip_name(const an_zip *zip,
                        int member);                  /* as it is in the file: not for a terminal */
int an_zip_find(const an_zip *zip, const char *name); /* −1: there is none */
int64_t an_zip_size(const an_zip *zip, int member);   /* bytes, unpacked */

/* The bytes of a member, for an_unpack_read(); an_unpack_close() frees it. The archive must stay
 * open. NULL after AN_EFORMAT (encrypted, a method other than store and deflate, another member
 * at that place), AN_EIO, AN_ENOMEM. */
an_unpack *an_zip_unpack(const an_zip *zip, int member);

/* To be called after an_zip_size() bytes were read. AN_EFORMAT: the member is longer, or its
 * checksum is wrong. */
an_code an_zip_verify(const an_zip *zip, int member, an_unpack *u);

#endif
