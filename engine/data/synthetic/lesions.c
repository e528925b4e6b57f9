/* lesions: the number of pictures per class and part, and drawing them; see lesions.h. */
#include "data/synthetic/lesions.h"

#include <math.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/stop.h"

/* Images per class in HAM10000 (Tschandl et al. 2018), and their sum. */
static const double ham10000[AN_LESION_CLASSES] = {6705, 1113, 1099, 514, 327, 142, 115};
static const double HAM10000 = 10015;

/* The minimum number of pictures of a class in a part, so that rare classes can be learned and
 * measured; lower for small sets. */
static int64_t least(an_part part, int64_t n)
{
    static const int64_t most[AN_PARTS] = {8, 6, 12};
    int64_t fewest = n * most[part] / 1400;
    return fewest < 1 ? 1 : fewest > most[part] ? most[part] : fewest;
}

/* Fills count[part][class]; nv gets what the other classes leave. False if that is nothing. */
static bool share_out(int64_t n, const double fraction[AN_PARTS],
                      int64_t count[AN_PARTS][AN_LESION_CLASSES])
{
    int64_t left = n;
    for (int part = AN_PARTS - 1; part >= 0; part--) {
        int64_t total = part == AN_TRAIN ? left : (int64_t)llround(fraction[part] * (double)n);
        left -= total;
        count[part][0] = total;
        for (int k = 1; k < AN_LESION_CLASSES; k++) {
            int64_t c = (int64_t)llround((double)total * ham10000[k] / HAM10000);
            if (c < least((an_part)part, n))
                c = least((an_part)part, n);
            count[part][k] = total > 0 ? c : 0;
            count[part][0] -= count[part][k];
        }
        if (count[part][0] < (fraction[part] > 0))
            return false;
    }
    return true;
}

static an_code list_all(an_listing *list, int64_t count[AN_PARTS][AN_LESION_CLASSES])
{
    an_code code = an_listing_classes(list, an_lesion_names, AN_LESION_CLASSES);
    char key[32];
    for (int k = 0; k < AN_LESION_CLASSES; k++) {
        for (int part = 0; part < AN_PARTS; part++) {
            for (int64_t i = 0; i < count[part][k] && code == AN_OK; i++) {
                snprintf(key, sizeof key, "lesion-%07lld", (long long)list->n);
                an_item item = {
                    .key = key, .class_name = an_lesion_names[k], .part = (an_part)part};
                code = an_listing_add(list, &item);
            }
        }
    }
    return code == AN_OK ? an_listing_seal(list) : code;
}

/* Pictures of 1024×1024 take half a second each. */
static an_code draw_all(an_listing *list, uint8_t *pixels, uint64_t seed, int H, int W)
{
    int64_t bytes = (int64_t)H * W * 3;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < list->n; i++) {
        if (an_stop_requested())
            continue;
        float traits[AN_TRAITS];
        an_item *item = &list->items[i];
        an_lesion_traits(traits, item->label, seed, (uint64_t)i);
        an_lesion_draw(traits, seed, (uint64_t)i, H, W, pixels + i * bytes);
        an_sha256_buffer(pixels + i * bytes, (size_t)bytes, item->hash);
    }
    return an_stop_check();
}

an_code an_lesions(an_listing *list, uint8_t **pixels, int64_t n, double val, double test,
                   uint64_t seed, int H, int W)
{
    AN_ASSERT(!list->sealed && list->n == 0);
    AN_ASSERT(H >= 1 && W >= 1);
    int64_t count[AN_PARTS][AN_LESION_CLASSES];
    if (n < 70 || n > 10000000)
        return an_fail(AN_EINVAL, "lesions: n = %lld; 70 to 10,000,000 can be drawn", (long long)n);
    if (!(val >= 0 && test > 0 && val + test < 1) ||
        !share_out(n, (double[]){1 - val - test, val, test}, count))
        return an_fail(AN_EINVAL,
                       "lesions: n = %lld with val = %g and test = %g leaves a part "
                       "without nv; raise n or change the fractions",
                       (long long)n, val, test);
    an_code code = list_all(list, count);
    if (code != AN_OK)
        return code;
    *pixels = an_alloc((size_t)n * (size_t)H * (size_t)W * 3);
    if (!*pixels)
        return AN_ENOMEM;
    code = draw_all(list, *pixels, seed, H, W);
    if (code != AN_OK) {
        an_free(*pixels);
        *pixels = NULL;
    }
    return code;
}
