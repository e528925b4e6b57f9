/* lesion_traits: the look of each class of the synthetic lesions; see lesions.h. A table of typical
 * traits, a table of which classes are confused, and the draw that mixes them. */
#include <math.h>

#include "base/assert.h"
#include "base/rng.h"
#include "data/synthetic/lesions.h"

const char *const an_lesion_names[AN_LESION_CLASSES] = {"nv",    "mel",  "bkl", "bcc",
                                                        "akiec", "vasc", "df"};

/* After the descriptions in Tschandl et al. 2018 and the usual dermatoscopic criteria. */
static const float typical[AN_LESION_CLASSES][AN_TRAITS] = {
    /* size len  asym rag  soft dark red  vari blue scar net  glob cyst lac  vess scale */
    {.45f, .25f, .15f, .15f, .45f, .50f, .30f, .20f, .05f, .00f, .55f, .40f, .05f, .00f, .05f,
     .05f},
    {.65f, .40f, .65f, .65f, .40f, .75f, .30f, .75f, .50f, .15f, .50f, .35f, .05f, .05f, .15f,
     .05f},
    {.60f, .35f, .35f, .45f, .20f, .45f, .25f, .40f, .15f, .10f, .20f, .15f, .75f, .00f, .05f,
     .35f},
    {.50f, .30f, .45f, .35f, .60f, .25f, .60f, .30f, .40f, .20f, .00f, .15f, .05f, .05f, .80f,
     .15f},
    {.55f, .35f, .45f, .50f, .75f, .20f, .75f, .25f, .05f, .15f, .05f, .05f, .15f, .00f, .35f,
     .75f},
    {.45f, .20f, .25f, .20f, .20f, .45f, .95f, .25f, .45f, .00f, .00f, .05f, .00f, .90f, .05f,
     .00f},
    {.40f, .15f, .15f, .20f, .75f, .30f, .45f, .15f, .05f, .75f, .40f, .05f, .05f, .00f, .10f,
     .10f},
};

/* Row: the class; entries: how often traits of each other class are mixed in. */
static const float resembles[AN_LESION_CLASSES][AN_LESION_CLASSES] = {
    /*          nv    mel   bkl   bcc   akiec vasc  df   */
    /* nv    */ {0, .45f, .25f, .08f, .04f, .03f, .15f},
    /* mel   */ {.60f, 0, .25f, .07f, .05f, .03f, 0},
    /* bkl   */ {.35f, .25f, 0, .10f, .25f, 0, .05f},
    /* bcc   */ {.20f, .10f, .15f, 0, .35f, .10f, .10f},
    /* akiec */ {.05f, .08f, .35f, .42f, 0, 0, .10f},
    /* vasc  */ {.25f, .15f, .05f, .45f, 0, 0, .10f},
    /* df    */ {.50f, .05f, .10f, .20f, .15f, 0, 0},
};

static int mixed_in_class(int label, double u)
{
    double cumulative = 0;
    for (int j = 0; j < AN_LESION_CLASSES; j++) {
        cumulative += resembles[label][j];
        if (u < cumulative)
            return j;
    }
    return label;
}

void an_lesion_traits(float traits[AN_TRAITS], int label, uint64_t seed, uint64_t image)
{
    AN_ASSERT(label >= 0 && label < AN_LESION_CLASSES);
    static const double SPREAD = 0.09, MOST_MIXED = 0.70;
    uint64_t stream = an_stream("lesion traits", image, 0);
    int other = mixed_in_class(label, an_uniform(seed, stream, 0));
    double u = an_uniform(seed, stream, 1), share = MOST_MIXED * u * u; /* mostly small */
    for (int k = 0; k < AN_TRAITS; k++) {
        double mean = (1 - share) * typical[label][k] + share * typical[other][k];
        double value = mean + SPREAD * an_normal(seed, stream, 2 + (uint64_t)k);
        traits[k] = (float)fmin(fmax(value, 0), 1);
    }
}
