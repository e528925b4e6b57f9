/* precision: the number format in which a layer's products are computed and a backbone's maps are
 * stored. Sums, weights, their gradients and everything else are float32 at either setting.
 *
 *   fp32   factors unchanged
 *   bf16   factors rounded to bfloat16, eight bits of a float's 24, where that is faster: all of
 *          them on CPUs with AMX, which is many times faster; on others, all but those of the
 *          convolutions that conv.c leaves in float32. Products of two such numbers are exact in
 *          float32. Where all channels of a ResNet are multiples of 16, its maps and their
 *          gradients are also stored in bfloat16 (model/resnet.h), on every CPU: this halves the
 *          bytes, which limit the speed of everything else.
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
 * AVX512_BF16, with AMX. The results differ in their last bits, because the order of summation
 * does. */
typedef enum { AN_BF16_EMULATED, AN_BF16_AVX512, AN_BF16_AMX } an_bf16_unit;

an_bf16_unit an_bf16_unit_now(void);
const char *an_bf16_unit_name(an_bf16_unit unit); /* "emulated", "avx512_bf16" or "amx" */

/* Makes the slower of `most` and what the CPU supports the active unit, and returns it: for tests.
 * ANISO_SIMD below avx512 leaves only the emulation. Not inside a parallel region. */
an_bf16_unit an_bf16_limit(an_bf16_unit most);

#endif
