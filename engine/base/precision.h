/* precision: in which numbers the products of layers are computed and the maps of a backbone are
 * stored. Sums, weights, their gradients and everything else are float32 at either setting.
 *
 *   fp32   factors as they are
 *   bf16   factors rounded to bfloat16, eight bits of a float's 24, where that is faster: all of
 *          them on CPUs with AMX, which has many times the speed; on others not those of the
 *          convolutions that conv.c leaves to float32. Products of two such numbers are exact in
 *          float32. Where all channels of a ResNet are multiples of 16, its maps and their
 *          gradients are stored so too (model/resnet.h), on every CPU: half the bytes, which is
 *          what limits the speed of the rest.
 *
 * The setting holds for the process, like the number of threads. Training sets it around its steps
 * (option train.precision); evaluation, prediction and everything else use fp32. */
#ifndef AN_BASE_PRECISION_H
#define AN_BASE_PRECISION_H

typedef enum { AN_PRECISION_FP32, AN_PRECISION_BF16 } an_precision;

an_precision an_precision_now(void);
/* Not inside a parallel region. */
void an_set_precision(an_precision precision);

/* How a CPU multiplies bf16, from slow to fast: with float32 instructions after widening, with
 * AVX512_BF16, with AMX. The bits differ, because the order of a sum does. */
typedef enum { AN_BF16_EMULATED, AN_BF16_AVX512, AN_BF16_AMX } an_bf16_unit;

an_bf16_unit an_bf16_unit_now(void);
const char *an_bf16_unit_name(an_bf16_unit unit); /* "emulated", "avx512_bf16" or "amx" */

/* Makes the slower of `most` and what the CPU supports the active unit, and returns it: for tests.
 * ANISO_SIMD below avx512 leaves only the emulation. Not inside a parallel region. */
an_bf16_unit an_bf16_limit(an_bf16_unit most);

#endif
