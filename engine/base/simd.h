/* simd: one program for every x86: which vector instructions a kernel may use.
 *
 * AN_SIMD before a loop-only leaf function makes gcc compile it once per vector width and lets
 * the loader pick the widest the CPU has. Floating-point expressions are neither
 * reassociated nor contracted (-std=c11), so every clone gives the same bits. Empty where
 * the loader's dispatch is not to be relied on (clang, sanitizers, not x86).
 *
 * Kernels that are written per width (kernel/matmul/microkernel.h) ask an_simd_level(). The
 * environment variable ANISO_SIMD = baseline, avx2 or avx512 lowers it: for tests, and to repeat a
 * run of an older machine. `aniso doctor` shows it. */
#ifndef AN_BASE_SIMD_H
#define AN_BASE_SIMD_H

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) &&       \
    defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define AN_SIMD __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define AN_SIMD
#endif

typedef enum { AN_SIMD_BASELINE, AN_SIMD_AVX2, AN_SIMD_AVX512 } an_simd; /* AVX2: with FMA */

an_simd an_simd_level(void);             /* in force                                         */
const char *an_simd_name(an_simd level); /* what ANISO_SIMD calls it                         */
an_simd an_simd_limit(an_simd most);     /* at most this and what the CPU has, from now on;
                                            returns what is in force. Not during a kernel.   */

#endif
