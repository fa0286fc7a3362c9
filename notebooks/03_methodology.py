# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Methodology
#
# A metamer is the end of a search in the space of pictures. This chapter writes the search down, lets it run on one picture, and looks at what it does: to the picture, and to the distance that it is meant to close.

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

# %% tags=["hide-input"]
from IPython.display import Markdown
from myst_nb import glue

from metamerbook.ensembles import methodology as chapter
from metamerbook.ensembles.figures.methodology import figure_optimisation
from metamerbook.study import words
from metamerbook.study.judging import featured_set, featured_stage
from metamerbook.study.study import Study

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% [markdown]
# ## One network
#
# Let $f_l(x)$ be the activations of layer $l$ for the picture $x$, all of them in one long vector: $a = f_l(x)$ for the reference, $a' = f_l(x')$ for the picture $x'$ that shall become its metamer. The *inversion loss* is the distance between them, relative to the length of what shall be reached:
#
# $$d(x', x) = \frac{\lVert a' - a \rVert_2}{\lVert a \rVert_2}$$ (eq-loss)
#
# It is 0 for a perfect metamer, and 1 for a picture to which the layer stays silent. The same number, at the end of the search, is what this book calls the **residual** of a metamer.
#
# The gradient of $d$ with respect to the pixels points to where the distance grows. Each update takes a step the other way, and then returns to what is permitted:
#
# $$x'_{t+1} = \Pi\!\left[x'_t - \alpha_t \, \frac{\nabla_{x'} d}{\lVert \nabla_{x'} d \rVert_2}\right]$$ (eq-step)
#
# $\Pi$ keeps every value within $\varepsilon$ of where it started, and within the range of colours. For metamers $\varepsilon$ is so large that only the second matters; with a small one the same loop makes something like an adversarial example. The gradient's length is taken out, so that $\alpha$ is a distance in pixel space; in this run it goes from {glue:text}`rate-first:g` to {glue:text}`rate-last:g`.
#
# Two of these symbols are not as printed: the paper *adds* the gradient and does not divide it by its length. The first would drive the activations apart ({ref}`reading 1 <reading-1>`); without the second, the given learning rates hardly move a picture ({ref}`reading 3 <reading-3>`).
#
# ## Several networks
#
# The extension is one loop more. All networks of the ensemble see the same picture $x'$, each compares its own activations, and they take turns in changing it ({numref}`alg-1`).
#
# ```{code-block} text
# :name: alg-1
# :caption: Metamers of several networks, as this library runs it by default.
# given: reference x, networks F₁ … Fₘ, each cut at its layer
#
#     for each network F:  aF ← F(x)                  once
#     x′ ← grey, with a trace of noise
#     repeat r times:
#         for each network F of the ensemble:          round-robin
#             repeat s times:
#                 d  ← ‖F(x′) − aF‖ / ‖aF‖
#                 g  ← gradient of d with respect to x′
#                 x′ ← x′ − α · g / ‖g‖
#                 x′ ← project x′ on the ball around its start, then on [0, 1]
#         α ← next learning rate
#     return x′
# ```
#
# With $r$ repetitions of $s$ steps, each of the $m$ networks is followed $r \cdot s$ times and the picture is changed $m \cdot r \cdot s$ times. While one network has its turn, nothing keeps the others from drifting away; short turns do.
#
# ## Running it
#
# Below, on one picture: the set and the stage that {doc}`the introduction <01_introduction>` shows.

# %%
name, stage, image = featured_set(study), featured_stage(study), chapter.featured_image(study)
metamers = study.metamers(name, stage)
path = chapter.trajectory(study, name, stage, images=[image])

# %% tags=["remove-cell"]
config, reference = study.settings.config, study.references.images[image]
glue("fig-optimisation", figure_optimisation(metamers[image].history, path, reference), display=False)
glue("members", Markdown(words.members(study, name)), display=False)
glue("made-of", Markdown(words.provenance(study)), display=False)
said = {
    "set": name,
    "stage": words.stage_in_words(stage),
    "category": study.references.category_names[image],
    "repetitions": config.repetitions,
    "steps": config.steps_per_model,
    "rate-first": config.learning_rate_at(0),
    "rate-last": config.learning_rate_at(config.repetitions - 1),
}
for key, value in (said | chapter.facts(metamers, image)).items():
    glue(key, value, display=False)

# %% [markdown]
# ```{glue:figure} fig-optimisation
# :name: fig-optimisation
# :alt: Falling curves of the residual over the number of updates, one per network of the ensemble, both axes logarithmic. Below them snapshots of the picture, from the start to the finished metamer, and the reference.
#
# {numref}`alg-1` running on one picture ({glue:text}`category`) with the set *{glue:text}`set`* ({glue:md}`members`) at {glue:text}`stage`. Above, the residual of each network, measured whenever it has its turn; the numbers are the residuals of its last one. Below, the picture after as many updates as is written under it (dotted lines above), and the reference. {glue:md}`made-of`
# ```
#
# {glue:text}`repetitions:d` repetitions of {glue:text}`steps:d` steps are {glue:text}`per-model:d` updates with each network, {glue:text}`updates:d` in all. In an ensemble, each network's turn undoes some of what the others did, more so while the steps are long; in the end they settle on a picture between them. The largest residual starts at {glue:text}`residual-start:.2f`; at the end the networks' residuals lie between {glue:text}`residual-lowest:.3f` and {glue:text}`residual-highest:.3f`. The first tenth of the updates covers {glue:text}`covered:.0%` of the way.
#
# ## One at a time, or all at once
#
# The {glue:text}`n:d` pictures of this run were optimised together, as one batch, because that is faster. It must not matter: a metamer that depended on which pictures happened to be beside it would be no property of the networks. So the loss of a batch is the *sum* of its pictures' losses, every gradient is normalised on its own, and the noise that a picture starts from depends on its place in the set alone. What is left is rounding: a CPU's kernels may add up a few pictures in another order than many, and hundreds of normalised steps enlarge that last digit. The results of this book are those of whole batches; {numref}`fig-optimisation` follows its picture within its batch.
#
# Where a network has no gradient for a picture, or one that is not a number, the update is left out and counted; in this run, {glue:text}`skipped:d` times.

# %% [markdown]
# ## What differs from the paper
#
# The loop is the paper's Algorithm 1. Its formulas and its text leave the following open: the sign ({ref}`reading 1 <reading-1>`), what "ranking-based" means and what a batch is ({ref}`2 <reading-2>`), the gradient's length ({ref}`3 <reading-3>`), the start ({ref}`4 <reading-4>`), how the steps are counted ({ref}`5 <reading-5>`), when the learning rate falls ({ref}`6 <reading-6>`), the centre of the projection ({ref}`7 <reading-7>`), and gradients through units that are switched off ({ref}`8 <reading-8>`). Each is a field of {py:class}`~metamerlib.generation.config.GenerationConfig`, and the alternatives are one argument away.
#
# To run the loop on pictures and networks of your own, see {doc}`/book/reproduce`.
