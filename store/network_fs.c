/* network_fs: looks up the type of the folder's file system (statfs) in a list of magic numbers. */
#include "store/network_fs.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>

#include "base/memory/mem.h"

#ifdef __linux__
#include <sys/vfs.h>

static const char *network_name(const struct statfs *fs)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {
        {0x6969, "NFS"},     {0xFF534D42, "CIFS"},   {0xFE534D42, "SMB"},     {0x517B, "SMB"},
        {0x5346414F, "AFS"}, {0x00C36400, "Ceph"},   {0x0BD00BD0, "Lustre"},  {0x47504653, "GPFS"},
        {0x01021997, "9P"},  {0x19830326, "BeeGFS"}, {0xAAD7AAEA, "Panasas"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].magic == ((unsigned long)fs->f_type & 0xFFFFFFFF))
            return known[i].name;
    return NULL;
}
#else
#include <sys/mount.h>
#include <sys/param.h>

static const char *network_name(const struct statfs *fs)
{
    return fs->f_flags & MNT_LOCAL ? NULL : fs->f_fstypename;
}
#endif

an_code an_network_fs_check(const char *path)
{
    struct statfs fs;
    char *copy = an_strdup(path); /* dirname() writes into its argument */
    if (!copy)
        return AN_ENOMEM;
    const char *folder = dirname(copy);
    an_code code = AN_OK;
    if (statfs(folder, &fs) != 0)
        code = an_fail(AN_EIO, "cannot make %s: the folder %s: %s", path, folder, strerror(errno));
    else if (network_name(&fs))
        code = an_fail(AN_EIO,
                       "%s is on a network file system (%s), where a database can be damaged: "
                       "write to a local disk (--db PATH) and copy the file when the run is over, "
                       "or state --alone while no other process opens it",
                       path, network_name(&fs));
    an_free(copy);
    return code;
}
