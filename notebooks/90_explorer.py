# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Explorer
#
# The other chapters show a few metamers each, and averages over all of them. Here every set and stage can be looked at on its way, one picture per category.

# %% tags=["parameters", "hide-input"]
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
from IPython.display import HTML, Markdown
from myst_nb import glue

from metamerbook.ensembles.explorer import explore
from metamerbook.ensembles.figures.explorer import explorer_html
from metamerbook.study.study import Study

study = Study.from_parameters(globals())
everything = explore(study)

# %% tags=["remove-input"]
Markdown(study.describe())

# %% tags=["remove-input"]
HTML(explorer_html(everything))

# %% tags=["remove-cell"]
glue("ways", len(everything.runs) * len(everything.categories), display=False)
glue("snapshots", len(everything.runs[0].trajectory.repetitions), display=False)

# %% [markdown]
# ## How to read it
#
# **The three pictures.** Left the reference, right the image that the optimisation has made of it so far, and between them both, one over the other: pull the line sideways.
#
# **Along the optimisation.** The slider and the strip below it go from the initial grey to the finished metamer. The first number under a picture counts the updates that it has had from all networks of the set together, the second says how many of the networks that had no part in the generation recognize it. The steps are spaced evenly in the logarithm of the repetitions, because most of what happens happens early.
#
# **The numbers.** Each bar is the residual ‖a′ − a‖ / ‖a‖ of one network of the set at this very picture: 0 is a perfect metamer. The bars are as long as the largest residual of this picture on its way allows. The last bar is the share of networks that recognize it: {doc}`recognizability <05_recognizability>` for one picture in place of the average over all. Networks that were never trained are not asked.
#
# **Without a mouse.** The tabulator key goes from one choice to the next, the arrow keys change it: the picture, the set, the stage, the line, the step.
#
# ## What to look for
#
# - Compare a single network with the ensemble of its kind, at the late stage: does more of the object come through?
# - Compare the stages of one set. From early to late, the residual is matched with less and less of the picture.
# - Follow the second number along the strip. Where it rises and falls again, the optimisation has moved on from something that other networks could read.
#
# These are {glue:text}`ways:d` ways with {glue:text}`snapshots:d` pictures each, taken while the metamers of the other chapters were made. To fit into this page the pictures are compressed, with some loss; `study.metamers(…)` and `explore(study)` have the exact ones. To make an explorer of your own pictures, networks and stages, run this chapter with other parameters ({doc}`/book/reproduce`).
