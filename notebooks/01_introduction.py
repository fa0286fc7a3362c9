# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Introduction
#
# Show a picture to a neural network and note what one of its layers answers: a few thousand numbers. Then take a grey picture and change its pixels, little by little, until the layer answers with the same numbers. Nothing else is asked of the new picture; it need not look like the old one. If the search succeeds, the network cannot tell the two apart from that layer on. Where they differ, it has learned not to care.
#
# Vision science has long used such pairs on people. Lights with different spectra can be the same colour to us, and pictures that are scrambled away from where we look can be the same view {cite:p}`freeman2011metamers`. Both are *metamers*: physically different, perceptually one. {cite:t}`feather2019metamers` carried the idea over to networks. A **model metamer** of a *reference* picture is another picture with the same activations at some layer.

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

from metamerbook.ensembles import introduction as chapter
from metamerbook.ensembles.figures import introduction as figures
from metamerbook.ensembles.recognizability import mean_recognizability, recognizability
from metamerbook.study import words
from metamerbook.study.study import Study

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% [markdown]
# ## The question
#
# Metamers of the first layers look like their references, because little has been thrown away yet. Metamers of the last layers are another matter. {cite:t}`feather2023metamers` found that those of ordinary networks, supervised or not, are noise to people, though the network itself still sees the object in them. And they are noise to *other networks* too. So what a late layer ignores is not only what the task allows it to ignore. Each network ignores things in a way of its own, and how well other networks recognize its metamers tells quite well how people will.
#
# {cite:t}`boehm2025ensemble` turn this round. If the ways in which networks are blind differ, then a picture that must be a metamer for *several* networks at once cannot use the blindness of any one of them. What is left to ignore is what all of them ignore, which should be what the task allows. The prediction: metamers of **ensembles** are recognizable, also to networks that had no part in making them. The paper tests it on convolutional networks and on vision transformers, on ordinary and on adversarially trained ones.
#
# ## The process
#
# {numref}`fig-1` follows one picture from beginning to end. Everything in it was taken from a run.

# %%
study.execute(chapter.tasks(study))
process = chapter.overview(study)
means = mean_recognizability(recognizability(study))

# %% tags=["remove-cell"]
glue("fig-1", figures.figure_process(process), display=False)
glue("made-of", Markdown(words.provenance(study)), display=False)
glue("members", Markdown(words.members(study, process.model_set)), display=False)
glue("stage", words.stage_in_words(process.stage), display=False)
for name, value in chapter.facts(process, means).items():
    glue(name, value, display=False)

# %% [markdown]
# ```{glue:figure} fig-1
# :name: fig-1
# :alt: Three columns. Left, a reference and a metamer pass through a network, whose activations are nearly the same, above snapshots of a picture turning from nothing into the metamer and a band of colours for the models that take turns. Middle, two overlapping curves of distances, the two pictures with the classes that evaluators give them, and a list of image metrics. Right, six references, each beside its metamer.
#
# How metamers are made, measured, and what they look like: metamers of the set *{glue:text}`set`* ({glue:md}`members`) at {glue:text}`stage`. **Generate:** the active model's activations of the reference (*a*) and of the metamer (*a′*), one pixel per unit, guide the search; in an ensemble, the next model takes its turn after some steps. **Evaluate:** by distances between activations, by the classes that networks give to both pictures, by image metrics; all three without the networks that took part. **Metamers:** finished ones beside their references. {glue:md}`made-of`
# ```
#
# **Generate.** The search starts from a picture of nothing, by default from grey. A network sees the reference and the metamer; the gradient of the difference between its activations says how to change the metamer's pixels. In an ensemble the next network takes over after a few steps, and so on in turn. This picture was changed {glue:text}`updates:d` times. The difference never quite vanishes. How close it comes is the *residual*, ‖a′ − a‖ / ‖a‖, and {doc}`the chapter on the method <03_methodology>` follows it.
#
# **Evaluate.** A metamer is judged by networks that had no part in it. To the {glue:text}`category` of the figure and to its metamer, {glue:text}`agreeing:d` of {glue:text}`evaluators:d` trained networks give the same class. The share of such agreement over many pictures is the *recognizability* ({doc}`chapter <05_recognizability>`). Two further looks ask less of a network's final word: whether metamers lie among the activations where references lie, and what image metrics say about their look.
#
# ## The answer in short
#
# Averaged over the evaluators that had no part in the generation, the share of recognized metamers at {glue:text}`stage` is {glue:text}`recognized:.2f` for the set of the figure; over all sets it goes from {glue:text}`lowest:.2f` to {glue:text}`highest:.2f`:

# %% tags=["remove-input"]
figures.table_answer(means)

# %% [markdown]
# The paper reports that ensembles of convolutional networks and robust ensembles stay recognizable at the late stage, and that single networks and transformers do not. The chapters behind this one go through its evidence in its order; {doc}`the last one <15_claims>` holds all its claims against what was measured. Of {glue:text}`15_claims.ipynb::claims:d` claims {glue:text}`15_claims.ipynb::hold:d` hold here, {glue:text}`15_claims.ipynb::fail:d` do not, and the others are undecided or cannot be tested.
#
# ## What is different here
#
# The paper leaves things open, from the sign in its update formula to the number of images. What was decided, why, and how to undo it is listed in {doc}`/book/departures`. The paragraph near the top of each chapter says what was run; figures and tables of the paper carry the paper's numbers, and what we added is counted with an S. To run a chapter with other networks, pictures or stages: {doc}`/book/reproduce`.
