/* position: see position.h. */
#include "model/position.h"

#include <math.h>

#include "base/assert.h"

an_tensor *an_position_grid(int64_t h, int64_t w, int64_t D)
{
    AN_ASSERT(h >= 0 && w >= 0 && D >= 4 && D % 4 == 0);
    an_tensor *x = an_tensor_new(AN_F32, 3, (int64_t[]){h, w, D});
    int64_t quarter = D / 4;
    for (int64_t cell = 0; x && cell < h * w; cell++) {
        float *v = an_f32(x) + cell * D;
        for (int64_t i = 0; i < quarter; i++) {
            double f = pow(10000, -(double)i / (double)quarter);
            double row = (double)(cell / w) * f, column = (double)(cell % w) * f;
            v[i] = (float)sin(row);
            v[quarter + i] = (float)cos(row);
            v[2 * quarter + i] = (float)sin(column);
            v[3 * quarter + i] = (float)cos(column);
        }
    }
    return x;
}
