/* simd: see simd.h. The level is set before main(). */
#include "base/simd.h"

#include <omp.h>
#include <string.h>

#include "base/assert.h"
#include "base/environment.h"

static const char *const names[] = {"baseline", "avx2", "avx512"};
static an_simd level = AN_SIMD_BASELINE;

static an_simd cpu_level(void)
{
#ifdef AN_SIMD_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return AN_SIMD_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return AN_SIMD_AVX2;
#endif
    return AN_SIMD_BASELINE;
}

an_simd an_simd_limit(an_simd most)
{
    AN_ASSERT(!omp_in_parallel());
    an_simd supported = cpu_level();
    return level = most < supported ? most : supported;
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *name = an_variable("ANISO_SIMD");
    an_simd most = AN_SIMD_AVX512;
    for (int i = 0; name && i <= AN_SIMD_AVX512; i++)
        if (strcmp(name, names[i]) == 0)
            most = (an_simd)i;
    an_simd_limit(most);
}

an_simd an_simd_level(void)
{
    return level;
}

const char *an_simd_name(an_simd which)
{
    return names[which];
}
