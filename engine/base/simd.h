/* simd: the vector instructions that a kernel may use; one program serves every x86.
 *
 * AN_SIMD before a leaf function that consists of loops makes gcc compile it once per vector width;
 * the loader selects the widest version that the CPU supports. Floating-point expressions are
 * neither reassociated nor contracted (-std=c11), so every version gives the same bits. AN_SIMD is
 * empty where the loader's selection is not reliable (clang, sanitizers, other CPUs).
 *
 * Kernels that are written per width (kernel/matmul/microkernel.h) use an_simd_level(). The
 * environment variable ANISO_SIMD = baseline, avx2 or avx512 lowers the level, for tests and to
 * reproduce a run of an older machine. `aniso doctor` prints it. */
#ifndef AN_BASE_SIMD_H
#define AN_BASE_SIMD_H

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) &&       \
    defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define AN_SIMD __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define AN_SIMD
#endif

/* Defined where the intrinsics of AVX2 and AVX-512 can be compiled. */
#if defined(__x86_64__) && defined(__GNUC__)
#define AN_SIMD_X86 1
#endif

typedef enum { AN_SIMD_BASELINE, AN_SIMD_AVX2, AN_SIMD_AVX512 } an_simd; /* AVX2: with FMA */

an_simd an_simd_level(void);             /* the active level                                */
const char *an_simd_name(an_simd level); /* its name in ANISO_SIMD                          */

/* Makes the lower of `most` and what the CPU supports the active level, and returns it. Not inside
 * a parallel region. */
an_simd an_simd_limit(an_simd most);

#endif
