/* precision: see precision.h. Linux permits AMX to a process that requests it before the first use,
 * for all its threads. */
#include "base/precision.h"

#include <omp.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/simd.h"

#ifdef AN_SIMD_X86
#include <cpuid.h>
#include <sys/syscall.h>
#endif

static an_precision precision = AN_PRECISION_FP32;
static an_bf16_unit most_allowed = AN_BF16_AMX;

an_precision an_precision_now(void)
{
    return precision;
}

void an_set_precision(an_precision chosen)
{
    AN_ASSERT(!omp_in_parallel());
    precision = chosen;
}

#ifdef AN_SIMD_X86
enum {
    AMX_BF16 = 1 << 22, /* in edx of leaf 7.0 */
    AMX_TILE = 1 << 24,
    AVX512_BF16 = 1 << 5, /* in eax of leaf 7.1 */
    REQUEST_STATE = 0x1023,
    STATE_OF_TILES = 18
};

static an_bf16_unit supported(void)
{
    unsigned eax, ebx, ecx, edx;
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx512f"))
        return AN_BF16_EMULATED;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & AMX_BF16) && (edx & AMX_TILE) &&
        syscall(SYS_arch_prctl, REQUEST_STATE, STATE_OF_TILES) == 0)
        return AN_BF16_AMX;
    if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & AVX512_BF16))
        return AN_BF16_AVX512;
    return AN_BF16_EMULATED;
}
#else
static an_bf16_unit supported(void)
{
    return AN_BF16_EMULATED;
}
#endif

/* Requested when the unit is first needed or named, not at every start: with tiles, the kernel
 * saves more state at each signal. */
static an_bf16_unit of_this_cpu(void)
{
    static _Atomic int known = -1;
    if (known < 0)
        known = (int)supported();
    return (an_bf16_unit)known;
}

an_bf16_unit an_bf16_unit_now(void)
{
    if (an_simd_level() < AN_SIMD_AVX512)
        return AN_BF16_EMULATED;
    an_bf16_unit unit = of_this_cpu();
    return unit < most_allowed ? unit : most_allowed;
}

an_bf16_unit an_bf16_limit(an_bf16_unit most)
{
    AN_ASSERT(!omp_in_parallel());
    most_allowed = most;
    return an_bf16_unit_now();
}

const char *an_bf16_unit_name(an_bf16_unit unit)
{
    static const char *const names[] = {"emulated", "avx512_bf16", "amx"};
    return names[unit];
}
