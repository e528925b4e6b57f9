/* map_guard: what happens if a mapped file can no longer be read because it was truncated or its
 * disk failed. The kernel reports that as SIGBUS, at any load from the mapping.
 *
 * The process then prints one line that names the file, however many threads read it, and ends with
 * exit status 1, without running destructors: as after a kill, a run can be resumed from its last
 * checkpoint to the same bits. Nothing is computed from the missing bytes. A SIGBUS from any other
 * address keeps its default action. Reading the file instead would cost each process a copy. */
#ifndef AN_IO_MAP_GUARD_H
#define AN_IO_MAP_GUARD_H

#include <stddef.h>

/* Called after each mapping and before it is unmapped, from one thread. At most 16 mappings are
 * guarded at a time; the handler is installed with the first one. advice: the end of the line. */
void an_map_guard(const void *map, size_t size, const char *path, const char *advice);
void an_map_unguard(const void *map);

#endif
