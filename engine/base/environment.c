/* environment: see environment.h. */
#include "base/environment.h"

#include <stdlib.h>
#include <string.h>

const an_variable_entry an_variables[] = {
    {"ANISO_DB", AN_VARIABLE_TEXT, "a path", "runs.db",
     .meaning = "the run database that commands use without --db"},
    {"ANISO_CACHE_GB", AN_VARIABLE_NUMBER, "a number from 0 to 1000000", "20",
     .meaning = "limit of decoded images in the cache folder, in GB (10^9 bytes); 0: no cache",
     .least = 0, .most = 1e6},
    {"ANISO_QUERY_SECONDS", AN_VARIABLE_NUMBER, "a number from 0 to 1000000", "60",
     .meaning = "seconds that a query may take in a command that only reads; 0: no limit",
     .least = 0, .most = 1e6},
    {"ANISO_PARTS", AN_VARIABLE_TEXT, "folders, separated by :", NULL,
     .meaning = "where to look for modules with parts of your own"},
    {"ANISO_SIMD", AN_VARIABLE_CHOICE, "baseline, avx2, avx512", NULL,
     .meaning = "the widest vectors that kernels use; if unset, the widest of the processor"},
    {"ANISO_DEBUG", AN_VARIABLE_CHOICE, "0, 1", "0",
     .meaning = "1: show a traceback with errors, and log more"},
    {"ANISO_CHECKED", AN_VARIABLE_CHOICE, "0, 1", "0",
     .meaning = "1: also check assertions whose cost grows with the data"},
    {"ANISO_LUA", AN_VARIABLE_TEXT, "a folder", NULL,
     .meaning = "Lua files that replace the program's own, for development"},
    {"OMP_NUM_THREADS", AN_VARIABLE_NUMBER, "a number from 1 to 4096", NULL,
     .meaning = "threads that commands use without --threads; if unset, one per core", .least = 1,
     .most = 4096},
    {"OMP_WAIT_POLICY", AN_VARIABLE_TEXT, "active, passive", "passive",
     .meaning = "how OpenMP's threads wait for work"},
    {"GOMP_SPINCOUNT", AN_VARIABLE_TEXT, "a number", "2000",
     .meaning = "rounds that a waiting thread spins before it sleeps"},
    {"OPENBLAS_NUM_THREADS", AN_VARIABLE_TEXT, "a number", "1",
     .meaning = "threads that OpenBLAS starts; aniso does not use them"},
    {"OMPI_COMM_WORLD_SIZE", AN_VARIABLE_TEXT, "a number", NULL,
     .meaning = "set by mpirun of Open MPI: ranks share the work"},
    {"PMI_SIZE", AN_VARIABLE_TEXT, "a number", NULL, .meaning = "the same, set by mpirun of MPICH"},
    {"PMIX_RANK", AN_VARIABLE_TEXT, "a number", NULL,
     .meaning = "the same, set by srun --mpi=pmix"},
    {"SLURM_TASK_PID", AN_VARIABLE_TEXT, "a number", NULL,
     .meaning = "set by srun: the process that it started"},
    {"SLURM_STEP_NUM_TASKS", AN_VARIABLE_TEXT, "a number", NULL,
     .meaning = "set by srun: how many processes it started"},
    {"HOME", AN_VARIABLE_FOLDER, "a folder", NULL,
     .meaning = "the folder that ~ means in the next three"},
    {"XDG_CACHE_HOME", AN_VARIABLE_FOLDER, "a folder", "~/.cache",
     .meaning = "the cache is in its folder aniso"},
    {"XDG_DATA_HOME", AN_VARIABLE_FOLDER, "a folder", "~/.local/share",
     .meaning = "modules with parts of your own are in its folder aniso"},
    {"XDG_STATE_HOME", AN_VARIABLE_FOLDER, "a folder", "~/.local/state",
     .meaning = "the history of the prompt is its file aniso/history"},
    {"TMPDIR", AN_VARIABLE_TEXT, "a folder", "/tmp", .meaning = "the folder of temporary folders"},
    {"ANISO_WIDTH", AN_VARIABLE_NUMBER, "a number from 0 to 10000", NULL,
     .meaning = "width of tables in columns; 0: no limit; if unset, the width of the terminal, and "
                "no limit in a file",
     .least = 0, .most = 10000},
    {"NO_COLOR", AN_VARIABLE_TEXT, "any text", NULL,
     .meaning = "plots without colours, whatever the text"},
    {"LC_ALL", AN_VARIABLE_TEXT, "a locale", NULL,
     .meaning = "whether plots have UTF-8 or plain characters; if unset, LC_CTYPE, then LANG"},
    {"LC_CTYPE", AN_VARIABLE_TEXT, "a locale", NULL, .meaning = "see LC_ALL"},
    {"LANG", AN_VARIABLE_TEXT, "a locale", NULL, .meaning = "see LC_ALL"},
};
const size_t an_variable_count = sizeof an_variables / sizeof *an_variables;

/* NULL if it is not in the table. */
static const an_variable_entry *find(const char *name)
{
    for (size_t i = 0; i < an_variable_count; i++)
        if (strcmp(an_variables[i].name, name) == 0)
            return &an_variables[i];
    return NULL;
}

bool an_variable_is_known(const char *name)
{
    return find(name) != NULL;
}

static const char *value_of(const an_variable_entry *v)
{
    const char *value = getenv(v->name);
    const bool is_set = value && *value && (v->kind != AN_VARIABLE_FOLDER || *value == '/');
    return is_set ? value : NULL;
}

static bool is_number(const an_variable_entry *v, const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && !*end && *number >= v->least && *number <= v->most;
}

static bool is_choice(const an_variable_entry *v, const char *text)
{
    const size_t length = strcspn(text, ",");
    for (const char *at = v->values; at; at = strstr(at, ", ")) {
        at += strspn(at, ", ");
        if (!text[length] && strncmp(at, text, length) == 0 && (!at[length] || at[length] == ','))
            return true;
    }
    return false;
}

const char *an_variable(const char *name)
{
    const an_variable_entry *v = find(name);
    return v ? value_of(v) : NULL;
}

double an_variable_number(const char *name)
{
    const an_variable_entry *v = find(name);
    const char *text = v ? value_of(v) : NULL;
    double number;
    if (text && is_number(v, text, &number))
        return number;
    return v && v->otherwise ? strtod(v->otherwise, NULL) : 0;
}

static bool is_permitted(const an_variable_entry *v, const char *text)
{
    double number;
    return v->kind == AN_VARIABLE_NUMBER   ? is_number(v, text, &number)
           : v->kind == AN_VARIABLE_CHOICE ? is_choice(v, text)
                                           : true;
}

an_code an_variables_check(void)
{
    for (size_t i = 0; i < an_variable_count; i++) {
        const an_variable_entry *v = &an_variables[i];
        const char *text = value_of(v);
        if (text && !is_permitted(v, text))
            return an_fail(AN_EINVAL, "the environment variable %s must be %s%s, not %.40s",
                           v->name, v->kind == AN_VARIABLE_CHOICE ? "one of " : "", v->values,
                           text);
    }
    return AN_OK;
}
