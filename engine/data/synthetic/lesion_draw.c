/* lesion_draw: one synthetic lesion; see lesions.h. The picture is a function of (x, y) in [−1,
 * 1]², so any size shows the same lesion. Layers, from the bottom: skin, pigment, structures
 * (network, globules, cysts, lacunae, vessels, scar, scale), hairs, vignette. */
#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "base/rng.h"
#include "data/synthetic/lesions.h"

#define HARMONICS 6
#define HAIRS 7
#define VESSELS 5

typedef struct colour {
    float r, g, b;
} colour;

typedef struct curve { /* a bent line through (x, y) in direction (dx, dy) */
    float x, y, dx, dy, bend, width, length;
} curve;

typedef struct scene {
    const float *trait;
    uint32_t salt; /* of this image's noise fields              */
    float cx, cy, cos_a, sin_a, radius, stretch, edge;
    float wave[HARMONICS], phase[HARMONICS];
    colour skin, pigment, second;
    float tilt_x, tilt_y, vignette, pixel;
    int hairs, vessels;
    curve hair[HAIRS], vessel[VESSELS];
} scene;

/* ── noise ────────────────────────────────────────────────────────────────────── */

static float hash01(uint32_t x, uint32_t y, uint32_t salt)
{
    uint32_t h = x * 0x9E3779B1u ^ y * 0x85EBCA77u ^ salt;
    h = (h ^ h >> 15) * 0x2C1B3C6Du;
    h = (h ^ h >> 12) * 0x297A2D39u;
    return (float)((h ^ h >> 15) >> 8) * 0x1p-24f;
}

static float mixf(float a, float b, float t)
{
    return a + (b - a) * t;
}

static float smooth(float lo, float hi, float x)
{
    float t = fminf(fmaxf((x - lo) / (hi - lo), 0), 1);
    return t * t * (3 - 2 * t);
}

/* Value noise with one bump per unit, 0 … 1. */
static float noise(float x, float y, uint32_t salt)
{
    float fx = floorf(x), fy = floorf(y), u = x - fx, v = y - fy;
    uint32_t i = (uint32_t)(int32_t)fx, j = (uint32_t)(int32_t)fy;
    u = u * u * (3 - 2 * u), v = v * v * (3 - 2 * v);
    return mixf(mixf(hash01(i, j, salt), hash01(i + 1, j, salt), u),
                mixf(hash01(i, j + 1, salt), hash01(i + 1, j + 1, salt), u), v);
}

static float clouds(float x, float y, uint32_t salt)
{
    return (noise(x, y, salt) * 4 + noise(2 * x, 2 * y, salt + 1) * 2 +
            noise(4 * x, 4 * y, salt + 2)) /
           7;
}

/* Round spots, one per unit cell with probability `density`; 1 at a centre, 0 outside. */
static float spots(float x, float y, float density, float radius, uint32_t salt)
{
    if (density < 0.03f)
        return 0;
    float fx = floorf(x), fy = floorf(y), best = 0;
    for (int k = 0; k < 9; k++) {
        float i = fx + (float)(k % 3 - 1), j = fy + (float)(k / 3 - 1);
        uint32_t a = (uint32_t)(int32_t)i, b = (uint32_t)(int32_t)j;
        if (hash01(a, b, salt) > density)
            continue;
        float dx = x - i - hash01(a, b, salt + 1), dy = y - j - hash01(a, b, salt + 2);
        float r = radius * (0.7f + 0.6f * hash01(a, b, salt + 3));
        best = fmaxf(best, 1 - smooth(0.5f * r, r, sqrtf(dx * dx + dy * dy)));
    }
    return best;
}

static float on_curve(const curve *c, float x, float y, float pixel)
{
    float px = x - c->x, py = y - c->y;
    float along = px * c->dx + py * c->dy, across = py * c->dx - px * c->dy;
    if (fabsf(along) > c->length)
        return 0;
    float d = fabsf(across - c->bend * along * along), width = fmaxf(c->width, 0.5f * pixel);
    return (1 - smooth(0.4f * width, width + 0.5f * pixel, d)) * fminf(1, c->width / width + 0.3f);
}

/* ── the scene of one image ───────────────────────────────────────────────────── */

typedef struct draws {
    uint64_t seed, stream, next;
} draws;

static float uniform(draws *d, float lo, float hi)
{
    return mixf(lo, hi, (float)an_uniform(d->seed, d->stream, d->next++));
}

static void draw_curve(draws *d, curve *c, float x, float y, float width, float length)
{
    float angle = uniform(d, 0, 6.2831853f);
    *c = (curve){x, y, cosf(angle), sinf(angle), uniform(d, -0.6f, 0.6f), width, length};
}

static void shape_scene(scene *s, draws *d)
{
    const float *t = s->trait;
    float angle = uniform(d, 0, 6.2831853f);
    s->cx = uniform(d, -0.16f, 0.16f), s->cy = uniform(d, -0.16f, 0.16f);
    s->cos_a = cosf(angle), s->sin_a = sinf(angle);
    s->radius = 0.28f + 0.42f * t[AN_SIZE], s->stretch = 1 + 0.8f * t[AN_LENGTH];
    s->edge = 0.05f + 0.35f * t[AN_SOFT];
    for (int k = 0; k < HARMONICS; k++) { /* 1, 2: asymmetry; from 3 on: a ragged border */
        float ragged = 0.22f * t[AN_RAGGED] / (1 + 0.3f * (float)(k - 2));
        float most = k < 2 ? 0.30f * t[AN_ASYMMETRY] : ragged;
        s->wave[k] = most * uniform(d, 0.3f, 1), s->phase[k] = uniform(d, 0, 6.2831853f);
    }
}

static void colour_scene(scene *s, draws *d)
{
    const float *t = s->trait;
    float light = uniform(d, 0.80f, 1.02f), pink = uniform(d, -0.06f, 0.06f);
    s->skin = (colour){0.86f * light, (0.68f - pink) * light, (0.60f - 0.5f * pink) * light};
    float dark = t[AN_DARK], red = t[AN_RED];
    s->pigment =
        (colour){mixf(0.68f, 0.22f, dark) + 0.14f * red, mixf(0.47f, 0.12f, dark) - 0.08f * red,
                 mixf(0.36f, 0.10f, dark) + 0.02f * red};
    float blue = t[AN_BLUE];
    s->second = (colour){s->pigment.r * 0.55f + 0.05f * (1 - blue),
                         s->pigment.g * 0.60f + 0.10f * blue, s->pigment.b * 0.65f + 0.25f * blue};
    s->tilt_x = uniform(d, -0.09f, 0.09f), s->tilt_y = uniform(d, -0.09f, 0.09f);
    s->vignette = uniform(d, 0.05f, 0.35f);
}

/* One statement per draw, because the evaluation order of arguments depends on the compiler. */
static void lines_scene(scene *s, draws *d)
{
    s->hairs = (int)(uniform(d, 0, 1) * uniform(d, 0, 1) * (HAIRS + 0.99f));
    for (int k = 0; k < s->hairs; k++) {
        float length = uniform(d, 0.5f, 2), width = uniform(d, 0.008f, 0.022f);
        float y = uniform(d, -0.9f, 0.9f), x = uniform(d, -0.9f, 0.9f);
        draw_curve(d, &s->hair[k], x, y, width, length);
    }
    s->vessels = (int)(s->trait[AN_VESSELS] * (VESSELS + 0.5f));
    for (int k = 0; k < s->vessels; k++) {
        float length = uniform(d, 0.15f, 0.45f), width = uniform(d, 0.012f, 0.03f);
        float y = s->cy + uniform(d, -0.35f, 0.35f), x = s->cx + uniform(d, -0.35f, 0.35f);
        draw_curve(d, &s->vessel[k], x, y, width, length);
    }
}

/* ── the picture ──────────────────────────────────────────────────────────────── */

static colour blend(colour a, colour b, float t)
{
    return (colour){mixf(a.r, b.r, t), mixf(a.g, b.g, t), mixf(a.b, b.b, t)};
}

/* Distance from the centre in units of the border: below 1 is inside. */
static float depth(const scene *s, float x, float y)
{
    float px = x - s->cx, py = y - s->cy;
    float u = (px * s->cos_a + py * s->sin_a) / s->stretch, v = py * s->cos_a - px * s->sin_a;
    float angle = atan2f(v, u), border = 1;
    for (int k = 0; k < HARMONICS; k++)
        border += s->wave[k] * cosf((float)(k + 1) * angle + s->phase[k]);
    return sqrtf(u * u + v * v) * sqrtf(s->stretch) / (s->radius * fmaxf(border, 0.25f));
}

/* Lines of a net whose meshes are distorted by noise. */
static float network(const scene *s, float x, float y)
{
    float bend = 1.2f * clouds(3 * x, 3 * y, s->salt + 20);
    float a = sinf(15 * (x * s->cos_a + y * s->sin_a) + 4 * bend);
    float b = sinf(15 * (y * s->cos_a - x * s->sin_a) - 4 * bend);
    return smooth(0.35f, 0.95f, fmaxf(fabsf(a), fabsf(b)));
}

static colour structures(const scene *s, colour c, float x, float y, float inside)
{
    static const colour brown = {0.20f, 0.11f, 0.08f}, cream = {0.88f, 0.77f, 0.62f},
                        wine = {0.46f, 0.08f, 0.15f}, white = {0.90f, 0.80f, 0.77f};
    const float *t = s->trait;
    float patch = smooth(0.25f, 0.65f, clouds(2 * x + 7, 2 * y, s->salt + 30));
    float globules = spots(8 * x, 8 * y, 0.75f * t[AN_GLOBULES], 0.42f, s->salt + 40);
    float cysts = spots(6 * x, 6 * y, 0.7f * t[AN_CYSTS], 0.45f, s->salt + 50);
    float lacunae = spots(4 * x, 4 * y, 0.8f * t[AN_LACUNAE], 0.65f, s->salt + 60);
    float flakes = smooth(0.50f, 0.75f, clouds(6 * x, 6 * y, s->salt + 70));
    c = blend(c, brown, inside * 0.45f * t[AN_NETWORK] * patch * network(s, x, y));
    c = blend(c, brown, inside * 0.45f * globules);
    c = blend(c, cream, inside * 0.55f * cysts);
    c = blend(c, wine, inside * 0.70f * lacunae);
    return blend(c, white, inside * 0.55f * t[AN_SCALE] * flakes);
}

/* The skin colour c at a point of depth q, with the lesion over it. */
static colour lesion(const scene *s, colour c, float x, float y, float q, float grain)
{
    static const colour flushed = {0.82f, 0.42f, 0.40f}, white = {0.90f, 0.80f, 0.77f},
                        crimson = {0.70f, 0.22f, 0.24f};
    const float *t = s->trait;
    float inside = 1 - smooth(1 - s->edge, 1 + s->edge, q + 0.12f * t[AN_RAGGED] * grain);
    float mottle =
        smooth(0.62f - 0.2f * t[AN_VARIEGATED], 0.72f, clouds(2.2f * x, 2.2f * y, s->salt + 10));
    float solid = 0.45f + 0.5f * t[AN_DARK]; /* pale lesions let the skin through */
    c = blend(c, flushed, 0.25f * t[AN_RED] * (1 - smooth(0.8f, 1.7f, q)));
    c = blend(c, blend(s->pigment, s->second, t[AN_VARIEGATED] * mottle), inside * solid);
    if (inside > 0)
        c = structures(s, c, x, y, inside);
    c = blend(c, white, 0.7f * t[AN_SCAR] * (1 - smooth(0.15f, 0.75f, q)));
    float around = 1 - smooth(1, 1.5f, q);
    for (int k = 0; k < s->vessels; k++)
        c = blend(c, crimson, around * 0.6f * on_curve(&s->vessel[k], x, y, s->pixel));
    return c;
}

static colour place(const scene *s, float x, float y)
{
    static const colour hair = {0.13f, 0.09f, 0.08f};
    float grain = clouds(5 * x, 5 * y, s->salt) - 0.5f, q = depth(s, x, y);
    float tone = 1 + s->tilt_x * x + s->tilt_y * y + 0.09f * grain;
    colour c = {s->skin.r * tone, s->skin.g * tone, s->skin.b * tone};
    if (q < 1.7f)
        c = lesion(s, c, x, y, q, grain);
    for (int k = 0; k < s->hairs; k++)
        c = blend(c, hair, 0.75f * on_curve(&s->hair[k], x, y, s->pixel));
    float dim = 1 - s->vignette * smooth(0.7f, 1.45f, sqrtf(x * x + y * y));
    return (colour){c.r * dim, c.g * dim, c.b * dim};
}

static uint8_t byte(float x)
{
    return (uint8_t)(fminf(fmaxf(x, 0), 1) * 255 + 0.5f);
}

void an_lesion_draw(const float traits[AN_TRAITS], uint64_t seed, uint64_t image, int H, int W,
                    uint8_t *rgb)
{
    AN_ASSERT(H >= 1 && W >= 1);
    draws d = {seed, an_stream("lesion scene", image, 0), 0};
    uint32_t words[4];
    an_philox(seed, an_stream("lesion noise", image, 0), 0, words);
    scene s = {.trait = traits, .salt = words[0], .pixel = 2.0f / (float)(H < W ? H : W)};
    shape_scene(&s, &d);
    colour_scene(&s, &d);
    lines_scene(&s, &d);
    float sensor = uniform(&d, 0.005f, 0.03f);
    for (int i = 0; i < H; i++) {
        for (int j = 0; j < W; j++, rgb += 3) {
            float x = ((float)j + 0.5f) * 2 / (float)W - 1;
            float y = ((float)i + 0.5f) * 2 / (float)H - 1;
            colour c = place(&s, x, y);
            float shot = sensor * (hash01((uint32_t)j, (uint32_t)i, words[1]) - 0.5f) * 2;
            rgb[0] = byte(c.r + shot), rgb[1] = byte(c.g + shot), rgb[2] = byte(c.b + shot);
        }
    }
}
