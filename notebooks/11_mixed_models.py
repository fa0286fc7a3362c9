# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Appendix B: mixed model sets
#
# The six sets of the main experiment were put together by hand, by family and by robustness. Are they special? The paper draws sets at random from its whole zoo, robust and ordinary, convolutional and transformer in one ensemble, and asks two things: how well are their metamers recognized, and do some networks make every set better or worse that they are in?

# %% tags=["parameters"]
profile = "mini"  # smoke, mini, paper, or a file with the same keys
stages = None  # such as ["early", "late"]; None: the profile's
model_sets = None  # names of sets, or {"mine": ["resnet18", "vgg19"]}
n_per_class = None  # images per category
size = None  # side of the images in pixels
root = None  # a folder of photographs in place of the drawings
seed = None  # of the images and of the initial noise
decision = None  # how 1000 outputs make 16 categories: "max_logit" or "mean_probability"
preset = None  # which rule makes metamers: "paper", which is Table 3's, or "fast"
batch_size = None  # images optimised at once: a number, "auto" for as many as fit, or "all"
precision = None  # what metamers are computed in: "float32", "tf32" or "bfloat16"
compile = None  # whether networks are compiled for that
mixed_sets = None  # how many random sets
mixed_stage = None  # the stage of their metamers

# %% tags=["hide-input"]
from IPython.display import Markdown
from myst_nb import glue

from metamerbook.ensembles import mixed_models as chapter
from metamerbook.ensembles.figures import mixed_models as figures
from metamerbook.study.published import statement
from metamerbook.study.study import Study
from metamerbook.study.words import stage_in_words

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% tags=["remove-input"]
Markdown(chapter.mixed_study(study).scope())

# %%
sets = chapter.mixed(study)
means = chapter.mixed_means(sets)

# %% tags=["remove-cell"]
printed = statement("mixed-recognizability")
glue("fig-b1", figures.figure_random_sets(sets, printed), display=False)
glue("stage", stage_in_words(study.settings.of(chapter.MixedModels).mixed_stage), display=False)
for name in ("sets", "images", "steps", "size-low", "size-high"):
    glue(f"paper-{name}", int(statement(f"mixed-{name}")["value"]), display=False)
glue("paper-mean", float(printed["value"]), display=False)
glue("paper-spread", float(printed["spread"]), display=False)
for name, value in chapter.facts_of_sets(means).items():
    glue(name, value, display=False)

# %% [markdown]
# ## How random sets fare
#
# The paper draws {glue:text}`paper-sets:d` sets of {glue:text}`paper-size-low:d` to {glue:text}`paper-size-high:d` networks, makes metamers at the middle stage in {glue:text}`paper-steps:d` steps, and takes {glue:text}`paper-images:d` pictures. Here {glue:text}`sets:d` sets of {glue:text}`smallest:d` to {glue:text}`largest:d` networks make metamers at {glue:text}`stage`. Every set is shown to the networks that are not in it, so no two sets have quite the same evaluators. The paper's mean is {glue:text}`paper-mean:.3f` ± {glue:text}`paper-spread:.3f`; it does not say whether that spread is over sets or over evaluators. We take it to be over sets.
#
# ```{glue:figure} fig-b1
# :name: fig-b1
# :alt: Above, one vertical line per random set from the first to the third quartile of its evaluators, with the median and the mean, sets in rising order of their means. Below left, a histogram of the means; below right, the means against the number of networks in the set. A dashed line and a band mark the paper's mean and spread.
#
# Recognizability of the metamers of {glue:text}`sets:d` random sets of networks at {glue:text}`stage`. Above: each set's evaluators, from the first to the third quartile (line), their median (tick) and mean (dot). Below: how often which mean comes, and the means by size of the set. Dashed, with its band: the paper's mean and spread.
# ```
#
# The mean recognizability over all sets is {glue:text}`mean:.3f` ± {glue:text}`spread:.3f`, from {glue:text}`lowest:.2f` to {glue:text}`highest:.2f`; it lies {glue:text}`away` from the paper's. Sets of {glue:text}`smallest:d` come to {glue:text}`mean-smallest:.2f` on average, sets of {glue:text}`largest:d` to {glue:text}`mean-largest:.2f`; over all sizes the rank correlation of size and recognizability is {glue:text}`size-correlation` (p = {glue:text}`size-p:.2g`).
#
# ## What each network adds
#
# Sort the sets into those that a network is in and those that it is not in, average each pile, and subtract: the paper calls this the *difference in means* and prints it for every network. Three things are to be said of it.
#
# - The paper prints **no sign**, although it says that transformers do harm. Its column may be absolute values, or a difference that happens to be positive for all. Ours has a sign.
# - A network is more often in **large sets** than in small ones. Whatever size does, each network gets a share of it. *At equal size* compares only sets of the same number of networks.
# - A set is shown to who is not in it, so that a set with a strict network in it has **more lenient evaluators**. *With equal evaluators* corrects for that as well: each set's mean is estimated together with each evaluator's leniency.

# %%
effects = chapter.mixed_effects(study, sets)
correlations = chapter.mixed_agreement(effects)

# %% tags=["remove-cell"]
glue("tab-b2", figures.table_effects(effects), display=False)
glue("fig-effects", figures.figure_effects(effects), display=False)
glue("tab-agreement", figures.table_agreement(correlations), display=False)
for name, value in chapter.facts_of_effects(effects).items():
    glue(name, value, display=False)

# %% [markdown]
# ```{glue-table} tab-b2
# :name: tab-b2
# :class: full-width
# What each network adds to the recognizability of random sets, the paper's numbers beside ours with 95 % bootstrap intervals over sets. In the paper's order. Bold: the interval misses zero.
#
# A dash: the network is not there, or is in all sets or none.
# ```
#
# ```{glue:figure} fig-effects
# :name: fig-effects
# :alt: One row per network: a point with an interval for our difference at equal size, a hollow point for the plain difference, and a rhombus for the paper's, around a vertical line at zero.
#
# The same as a picture: networks in the paper's order, ours at equal size with its interval (blue where it misses zero), the plain difference (hollow) and the paper's (rhombus), which has no sign.
# ```
#
# At equal size, {glue:text}`improve:d` of {glue:text}`networks:d` networks improve sets beyond chance and {glue:text}`worsen:d` worsen them; about {glue:text}`by-chance:.2g` of so many intervals of 95 % would miss zero by chance alone. By kind, the mean difference at equal size is {glue:text}`effect-robust` for robust networks, {glue:text}`effect-transformers` for standard transformers, {glue:text}`effect-others` for other trained networks and {glue:text}`effect-untrained` for untrained ones.
#
# ## Does our order agree with the paper's?
#
# ```{glue-table} tab-agreement
# :name: tab-agreement
# Rank correlation between the paper's column and ours, read in four ways.
# ```
#
# A warning about such tables in general, the paper's included: the mean of the sets with a network differs from the mean of those without it by chance alone. Here that moves a plain difference by about ±{glue:text}`half-width:.3f` (half the width of a 95 % interval, in the median), and {glue:text}`within-chance:d` of the paper's {glue:text}`published:d` differences are smaller than that. Among those, an order means little.
#
# ## What differs from the paper
#
# Number and size of the sets are the profile's; the paper's are in profile **paper**. The budget is far smaller in profile **mini**, and so is the number of pictures. Sizes are drawn with equal chance, the paper does not say how it draws them.
