/* simd: AN_SIMD before a loop-only leaf function makes gcc compile it once per vector
 * width and lets the loader pick the widest the CPU has. Floating-point expressions are
 * neither reassociated nor contracted (-std=c11), so every clone gives the same bits.
 * Empty where the loader's dispatch is not to be relied on (clang, sanitizers, not x86). */
#ifndef AN_BASE_SIMD_H
#define AN_BASE_SIMD_H

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) \
    && defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define AN_SIMD __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define AN_SIMD
#endif

#endif
