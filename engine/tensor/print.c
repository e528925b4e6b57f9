/* print: see print.h. Scalars and short vectors take one line; of anything larger, a corner of the
 * last two dimensions is shown, at most 8 × 8 numbers. */
#include "tensor/print.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/memory/mem.h"

enum { ROWS = 8, COLUMNS = 8, VECTOR = 32, TEXT = 6 * 1024 };

typedef struct {
    char *text;
    size_t used;
} page;

__attribute__((format(printf, 2, 3))) static void add(page *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(p->text + p->used, TEXT - p->used, format, args);
    va_end(args);
    p->used += n > 0 ? (size_t)n : 0;
    if (p->used >= TEXT)
        p->used = TEXT - 1;
}

static double at(const an_tensor *x, int64_t offset)
{
    return x->dtype == AN_F32 ? (double)an_f32(x)[offset] : (double)an_i64(x)[offset];
}

static void number(page *p, const an_tensor *x, int64_t offset, int width)
{
    if (x->dtype == AN_F32)
        add(p, "%*.6g", width, at(x, offset));
    else
        add(p, "%*lld", width, (long long)an_i64(x)[offset]);
}

/* The offset of flat element i (row-major) of x. */
static int64_t offset_of(const an_tensor *x, int64_t i)
{
    int64_t offset = 0;
    for (int d = x->ndim - 1; d >= 0; d--) {
        offset += i % x->shape[d] * x->stride[d];
        i /= x->shape[d];
    }
    return offset;
}

static void summary(page *p, const an_tensor *x)
{
    int64_t n = an_numel(x), bad = 0;
    double low = INFINITY, high = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = at(x, offset_of(x, i));
        if (!isfinite(v)) {
            bad++;
            continue;
        }
        low = v < low ? v : low;
        high = v > high ? v : high;
        sum += v;
    }
    if (n > bad)
        add(p, "  min %.6g  mean %.6g  max %.6g", low, sum / (double)(n - bad), high);
    if (bad)
        add(p, "  (%lld not finite)", (long long)bad);
}

static void vector(page *p, const an_tensor *x)
{
    int64_t n = x->shape[0], shown = n <= VECTOR ? n : COLUMNS;
    add(p, "  [");
    for (int64_t i = 0; i < shown; i++) {
        add(p, i ? " " : "");
        number(p, x, i * x->stride[0], 0);
    }
    add(p, shown < n ? " …]" : "]");
    if (shown < n)
        summary(p, x);
}

static void corner(page *p, const an_tensor *x)
{
    int64_t H = an_dim(x, -2), W = an_dim(x, -1);
    int64_t rows = H < ROWS ? H : ROWS, columns = W < COLUMNS ? W : COLUMNS;
    summary(p, x);
    for (int64_t r = 0; r < rows; r++) {
        add(p, "\n ");
        for (int64_t c = 0; c < columns; c++) {
            add(p, " ");
            number(p, x, r * x->stride[x->ndim - 2] + c * x->stride[x->ndim - 1], 12);
        }
        add(p, columns < W ? " …" : "");
    }
    if (rows < H || x->ndim > 2)
        add(p, "\n  …");
}

char *an_tensor_text(const an_tensor *x)
{
    page p = {an_alloc(TEXT), 0};
    if (!p.text)
        return NULL;
    add(&p, "Tensor %s %s", x->dtype == AN_F32 ? "float32" : "int64", an_shape_text(x));
    if (an_numel(x) == 0) {
        add(&p, "  empty");
    } else if (x->ndim == 0) {
        add(&p, "  ");
        number(&p, x, 0, 0);
    } else if (x->ndim == 1) {
        vector(&p, x);
    } else {
        corner(&p, x);
    }
    return p.text;
}
