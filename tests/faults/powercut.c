/* powercut: rebuilds the folder that a power cut may leave, from the log of preload/record.h.
 *
 *   powercut LOG count                         the number of records
 *   powercut LOG CUT NAMES CONTENT FOLDER      FOLDER, a copy of the one before the log, becomes
 * that after the first CUT records Of the bytes that no fsync followed, CONTENT `none` keeps none,
 * `some` each write with probability 1/2 (CUT is the seed), `all` all. Of the names, NAMES `all`
 * keeps every change; `ordered` those up to the last fsync of any file, as a file system with a
 * journal does; `strict` in each folder those up to the last fsync of this folder, which is all
 * that POSIX promises. Shared memory of SQLite is never kept. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/record.h"

typedef struct bytes {
    char *at;
    size_t size;
} bytes;

typedef struct change { /* a write, or with no data a change of the size */
    int64_t offset;
    bytes data;
} change;

typedef struct node { /* a file or a folder, whatever its names */
    bool folder;
    bytes now, durable;
    change *pending;
    int n_pending;
} node;

enum { ENTRIES = 4096 };

typedef struct names {
    struct {
        char *path;
        node *of;
    } entry[ENTRIES];
    int n;
} names;

static bool fsync_is_faked;
static names now, ordered, strict, mentioned;
static node top = {.folder = true}; /* the folder itself, "" */

static void *or_die(void *block)
{
    if (!block)
        exit((fprintf(stderr, "powercut: no memory\n"), 1));
    return block;
}

/* ── contents ───────────────────────────────────────────────────────────────── */

static void resize(bytes *b, size_t size)
{
    b->at = or_die(realloc(b->at, size + 1));
    if (size > b->size)
        memset(b->at + b->size, 0, size - b->size);
    b->size = size;
}

static void apply(bytes *b, const change *c)
{
    const size_t end = (size_t)c->offset + c->data.size;
    if (!c->data.at || end > b->size)
        resize(b, end);
    if (c->data.at)
        memcpy(b->at + c->offset, c->data.at, c->data.size);
}

static void change_content(node *file, change c)
{
    apply(&file->now, &c);
    file->pending = or_die(realloc(file->pending, sizeof c * (size_t)(file->n_pending + 1)));
    file->pending[file->n_pending++] = c;
}

static void make_durable(node *file)
{
    if (fsync_is_faked)
        return;
    resize(&file->durable, 0);
    apply(&file->durable, &(change){.offset = 0, .data = file->now});
    file->n_pending = 0;
}

static bytes content_after_cut(node *file, const char *which)
{
    if (strcmp(which, "all") == 0)
        return file->now;
    if (strcmp(which, "none") != 0)
        for (int i = 0; i < file->n_pending; i++)
            if (rand() % 2)
                apply(&file->durable, &file->pending[i]);
    return file->durable;
}

/* ── names ──────────────────────────────────────────────────────────────────── */

static int find(const names *in, const char *path)
{
    for (int i = 0; i < in->n; i++)
        if (strcmp(in->entry[i].path, path) == 0)
            return i;
    return -1;
}

static void put(names *in, const char *path, node *of)
{
    int i = find(in, path);
    if (i < 0) {
        if (in->n == ENTRIES)
            exit((fprintf(stderr, "powercut: too many names\n"), 1));
        i = in->n++;
        in->entry[i].path = or_die(strdup(path));
    }
    in->entry[i].of = of;
}

static void take_away(names *in, const char *path)
{
    int i = find(in, path);
    if (i >= 0)
        in->entry[i] = in->entry[--in->n];
}

static bool is_directly_in(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    if (n == 0)
        return !strchr(path, '/');
    return strncmp(path, folder, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/');
}

/* What was in the folder before the log is durable. Paths are relative to the folder. */
static void load(const char *path)
{
    struct stat info;
    if (!path[0])
        return;
    if (find(&mentioned, path) >= 0 || lstat(path, &info) != 0) {
        put(&mentioned, path, NULL);
        return;
    }
    node *file = or_die(calloc(1, sizeof *file));
    file->folder = S_ISDIR(info.st_mode);
    FILE *in = file->folder ? NULL : fopen(path, "rb");
    if (in) {
        resize(&file->now, (size_t)info.st_size);
        file->now.size = fread(file->now.at, 1, file->now.size, in);
        fclose(in);
        resize(&file->durable, 0);
        apply(&file->durable, &(change){.offset = 0, .data = file->now});
    }
    put(&mentioned, path, NULL);
    put(&now, path, file);
    put(&ordered, path, file);
    put(&strict, path, file);
}

static node *node_at(const char *path)
{
    int i = find(&now, path);
    if (!path[0])
        return &top;
    return i < 0 ? NULL : now.entry[i].of;
}

static node *create(const char *path, bool folder)
{
    node *file = node_at(path);
    if (file)
        return file;
    file = or_die(calloc(1, sizeof *file));
    file->folder = folder;
    put(&now, path, file);
    return file;
}

static void copy_names(names *to, const names *from)
{
    to->n = 0;
    for (int i = 0; i < from->n; i++)
        put(to, from->entry[i].path, from->entry[i].of);
}

static void sync_folder(const char *folder)
{
    for (int i = strict.n - 1; i >= 0; i--)
        if (is_directly_in(strict.entry[i].path, folder))
            take_away(&strict, strict.entry[i].path);
    for (int i = 0; i < now.n; i++)
        if (is_directly_in(now.entry[i].path, folder))
            put(&strict, now.entry[i].path, now.entry[i].of);
}

/* ── the log ────────────────────────────────────────────────────────────────── */

static void follow(const record_head *head, const char *a, const char *b)
{
    load(a);
    if (head->kind == RECORD_RENAME || head->kind == RECORD_LINK)
        load(b);
    node *file = node_at(a);
    if (head->kind == RECORD_CREATE || head->kind == RECORD_MKDIR)
        create(a, head->kind == RECORD_MKDIR);
    else if (!file)
        return; /* of a file that has no name any more */
    else if (head->kind == RECORD_WRITE || head->kind == RECORD_TRUNCATE) {
        bytes data = {NULL, head->b};
        if (head->kind == RECORD_WRITE)
            data.at = memcpy(or_die(malloc(head->b + 1)), b, head->b);
        change_content(file, (change){head->offset, data});
    } else if (head->kind == RECORD_SYNC) {
        if (file->folder)
            sync_folder(a);
        else
            make_durable(file);
        copy_names(&ordered, &now);
    } else {
        if (head->kind != RECORD_REMOVE)
            put(&now, b, file);
        if (head->kind != RECORD_LINK)
            take_away(&now, a);
    }
}

/* Follows the first `cut` records, all with cut < 0; → how many there were. */
static long read_log(const char *path, long cut)
{
    record_head head;
    FILE *in = fopen(path, "rb");
    long n = 0;
    if (!in)
        exit((perror(path), 1));
    for (; n != cut && fread(&head, sizeof head, 1, in) == 1; n++) {
        char *a = or_die(calloc(1, head.a + 1)), *b = or_die(calloc(1, head.b + 1));
        if (fread(a, 1, head.a, in) != head.a || fread(b, 1, head.b, in) != head.b)
            exit((fprintf(stderr, "powercut: %s is damaged\n", path), 1));
        if (cut >= 0)
            follow(&head, a, b);
        free(a);
        free(b);
    }
    fclose(in);
    return n;
}

/* ── the folder ─────────────────────────────────────────────────────────────── */

static int deepest_first(const void *a, const void *b)
{
    return -strcmp(*(char *const *)a, *(char *const *)b);
}

static void clear_folder(void)
{
    char *paths[ENTRIES];
    for (int i = 0; i < mentioned.n; i++)
        paths[i] = mentioned.entry[i].path;
    qsort(paths, (size_t)mentioned.n, sizeof *paths, deepest_first);
    for (int i = 0; i < mentioned.n; i++)
        if (remove(paths[i]) != 0 && errno != ENOENT && errno != ENOTEMPTY)
            exit((perror(paths[i]), 1));
}

static bool is_lost(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, "-shm") == 0;
}

/* A file whose folder was lost is lost. */
static void write_file(const char *path, bytes content)
{
    FILE *out = fopen(path, "wb");
    if (!out && errno == ENOENT)
        return;
    if (!out || fwrite(content.at ? content.at : "", 1, content.size, out) != content.size ||
        fclose(out) != 0)
        exit((perror(path), 1));
}

static void fill_folder(names *kept, const char *which)
{
    char *paths[ENTRIES];
    for (int i = 0; i < kept->n; i++)
        paths[i] = kept->entry[i].path;
    qsort(paths, (size_t)kept->n, sizeof *paths, deepest_first);
    for (int i = kept->n - 1; i >= 0; i--) {
        node *file = kept->entry[find(kept, paths[i])].of;
        if (is_lost(paths[i]))
            continue;
        if (file->folder)
            mkdir(paths[i], 0777); /* exists, or is in a folder that was lost */
        else
            write_file(paths[i], content_after_cut(file, which));
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[2], "count") == 0)
        return printf("%ld\n", read_log(argv[1], -1)) < 0;
    if (argc != 6)
        return fprintf(stderr, "powercut LOG CUT NAMES CONTENT FOLDER\n"), 2;
    const long cut = atol(argv[2]);
    srand((unsigned)cut);
    if (chdir(argv[5]) != 0)
        return perror(argv[5]), 1;
    fsync_is_faked = strcmp(argv[4], "faked") == 0;
    read_log(argv[1], cut);
    names *kept = strcmp(argv[3], "all") == 0       ? &now
                  : strcmp(argv[3], "ordered") == 0 ? &ordered
                                                    : &strict;
    clear_folder();
    fill_folder(kept, argv[4]);
    return 0;
}
