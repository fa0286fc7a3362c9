# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Comparison to adversarial examples
#
# Metamers and adversarial examples are made by the same loop: follow a gradient, step, project back into a ball ({doc}`02_related_work`). An adversarial example may change its picture by so little that nobody sees it, and often that is enough to change what networks say. Is so little also enough to make a metamer? The paper repeats the search of its best set, *CNN*, in two small balls, with radii that are common in attacks.

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
restricted_n_per_class = None  # images per category in this search
restricted_repetitions = None  # of this search
epsilons = None  # radii of the balls, such as ["8/255", 0.3]
attack_steps = None  # of the adversarial attack

# %% tags=["hide-input"]
from IPython.display import Markdown
from myst_nb import glue

from metamerbook import Study
from metamerbook.ensembles import adversarial_examples as chapter
from metamerbook.ensembles.figures.adversarial_examples import figure_restricted, radius_in_words, table_restricted
from metamerbook.study.judging import featured_set, featured_stage, one_per_category
from metamerbook.study.words import members, provenance, stage_in_words

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% tags=["remove-input"]
Markdown(chapter.restricted_study(study).scope())

# %% [markdown]
# ## Around what?
#
# A ball needs a centre, and the paper names two: its formula has the reference, the sentence below it the metamer ({ref}`reading 7 <reading-7>`). They ask opposite questions.
#
# - **Around the initial stimulus**, which is grey: how little must be added to grey until networks take it for the reference? A small ball leaves room for a faint pattern only.
# - **Around the reference**: how well can activations be matched by a picture that hardly differs from the reference? The reference itself is in the ball, and a perfect metamer; nothing can be learned from finding something close to it.
#
# {numref}`fig-6` shows both, and, in balls of the same size around the reference, what the paper only talks about: targeted adversarial examples for the same pictures and networks. Each is aimed at a category drawn at random among the wrong ones, with projected gradient descent {cite:p}`madry2018towards` on all networks of the set together.

# %%
metamers = chapter.restricted(study)
attacked = chapter.adversarial(study)
means = chapter.restricted_means(metamers, attacked)
shown = one_per_category(study)
shown = shown[:: max(1, len(shown) // 3)][:3]
examples = [chapter.restricted_example(study, image) for image in shown]

# %% tags=["remove-cell"]
glue("fig-6", figure_restricted(metamers, attacked, examples), display=False)
glue("tab-restricted", table_restricted(means), display=False)
glue("made-of", Markdown(provenance(chapter.restricted_study(study))), display=False)
glue("set", featured_set(study), display=False)
glue("members", Markdown(members(study, featured_set(study))), display=False)
glue("stage", stage_in_words(featured_stage(study)), display=False)
glue("steps", study.settings.of(chapter.AdversarialExamples).attack_steps, display=False)
glue("evaluators", metamers["evaluator"].nunique(), display=False)
found = chapter.facts(means)
glue("ball", radius_in_words(found.pop("radius")), display=False)
for name, number in found.items():
    glue(name, number, display=False)

# %% [markdown]
# ```{glue:figure} fig-6
# :name: fig-6
# :alt: Three panels with recognizability over the radius of the ball, for metamers from balls around the initial stimulus, for metamers from balls around the reference, and for adversarial examples. Below them, pictures from every ball beside their references.
#
# Recognizability over the radius ε of the search, in pixel values: metamers of the set *{glue:text}`set`* ({glue:md}`members`) at {glue:text}`stage`, and targeted adversarial examples for these networks ({glue:text}`steps:d` steps). As in the paper, all {glue:text}`evaluators:d` evaluators count, those included that the pictures were made with (blue and dashed). Below, pictures from every ball beside their references; under adversarial examples, the category that they are aimed at. A ball of radius 1 or more holds every picture, so that its centre makes no difference. {glue:md}`made-of`
# ```
#
# ## What a small ball costs
#
# In the smallest ball, ε = {glue:text}`ball`, mean recognizability is {glue:text}`around-initial:.2f` around the initial stimulus, where {glue:text}`left:.0%` of the distance between activations is left, and {glue:text}`around-reference:.2f` around the reference. {numref}`tab-restricted` has all radii.
#
# The paper's Figure 6 finds the *smallest* ball the worst by far, which fits the first reading and contradicts the second: around the reference, a radius of 8/255 cannot hide the object from anyone. That is why this book takes the initial stimulus as the centre.
#
# ```{glue-table} tab-restricted
# :name: tab-restricted
# :class: full-width
# The means behind {numref}`fig-6`. *Residual*: what is left of the distance between activations, averaged over pictures and networks. *Those without part*: evaluators outside the set. *Taken for the target*: given the category that the attack aims at.
# ```
#
# ## Beside an attack
#
# The paper concludes that restricted metamers, like adversarial examples, are misclassified often. The two fail in different ways, though. A metamer from a small ball around grey is misclassified because there is too little in it of anything; an adversarial example, although everything is still there.
#
# Averaged over evaluators, at ε = {glue:text}`ball`, {glue:text}`kept:.0%` of the attacked pictures keep their class and {glue:text}`fooled:.0%` are taken for the target; networks that were not attacked take {glue:text}`fooled-others:.0%` for it.
#
# An attack on one set that also turns other networks towards its target has found something that they share. Metamers of ensembles are built on the same hope, with the sign reversed: what several networks agree on should be what further networks agree on too. Comparing the last two columns with the recognizability of unrestricted metamers shows how far either transfers.
#
# Where the ball holds every picture, an attack is no longer adversarial. It starts from noise, owes nothing to its reference, and what comes out looks like noise, whatever networks call it.
#
# ## What differs from the paper
#
# The paper has one panel, leaves open which of the two centres it belongs to, and makes no adversarial examples. The radii are its own; in pixel values they do not depend on the size of the pictures, but what fits into a ball does, and drawings are not photographs ({doc}`/book/departures`).
