/* simd: see simd.h. The level is found before main(). */
#include "base/simd.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"baseline", "avx2", "avx512"};
static an_simd level = AN_SIMD_BASELINE;

static an_simd of_the_cpu(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
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
    an_simd has = of_the_cpu();
    return level = most < has ? most : has;
}

__attribute__((constructor)) static void ask_the_environment(void)
{
    const char *wanted = getenv("ANISO_SIMD");
    an_simd most = AN_SIMD_AVX512;
    for (int i = 0; wanted && i <= AN_SIMD_AVX512; i++)
        if (strcmp(wanted, names[i]) == 0)
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
