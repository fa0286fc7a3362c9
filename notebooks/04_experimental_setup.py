# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Experimental set-up
#
# What goes into the experiments: settings, pictures, networks, and the layers at which networks are compared. The paper's choice stands beside the one that this book was built with.

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

from metamerbook.ensembles import experimental_setup as chapter
from metamerbook.ensembles.figures import experimental_setup as figures
from metamerbook.ensembles.figures.recognizability import figure_stimuli
from metamerbook.study.judging import one_per_category
from metamerbook.study.study import Study
from metamerbook.study.words import profile_name

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %%
shown = study.references[one_per_category(study)]
sets, settings = chapter.model_sets_table(study), chapter.settings_table(study)
zoo, stage_table = study.zoo.table(), study.zoo.stage_table()

# %% tags=["remove-cell"]
glue("fig-stimuli", figure_stimuli(shown.images, shown.category_names), display=False)
glue("tab-2", figures.table_model_sets(sets), display=False)
glue("tab-3", figures.table_settings(settings), display=False)
glue("tab-stages", figures.table_stages(stage_table), display=False)
glue("tab-zoo", figures.table_zoo(zoo), display=False)
numbers = {"profile": profile_name(study), "zoo": study.settings.zoo, "n": len(study.references)}
numbers |= dict(zip(("height", "width"), study.references.size, strict=True))
for name, value in (numbers | chapter.zoo_facts(zoo)).items():
    glue(name, value, display=False)

# %% [markdown]
# ## Settings
#
# The paper generates metamers by plain gradient descent, with many updates of falling length ({numref}`tab-3`). Earlier work had found other optimisers to be no better {cite:p}`feather2023metamers`.
#
# ```{glue-table} tab-3
# :name: tab-3
# Settings of the generation in the paper and in profile {glue:text}`profile`; bold where they differ. *Field* is the parameter that changes it. The rows from *Optimizer* on are not in the paper's table but in its section 4.
#
# "Total steps" are counted per network: {ref}`reading 5 <reading-5>`. The start is literally a point of the ℓ₁ ball over all values of a picture, which is grey for every practical purpose: {ref}`reading 4 <reading-4>`.
# ```
#
# The radius ε is that of the ball in which the search is kept. It is there because the program is one for adversarial attacks; at this size it keeps nothing out. {ref}`Reading 7 <reading-7>` says what it is centred on when it does.
#
# ## Stimuli
#
# The paper takes photographs in sixteen everyday categories that people tell apart with ease and that networks trained on ImageNet {cite:p}`deng2009imagenet` can be asked about: those of {cite:t}`geirhos2018generalisation`. A network with a thousand answers gives one of sixteen, the category that its strongest answer among the 207 fitting ones belongs to ({ref}`reading 11 <reading-11>`).
#
# ```{glue:figure} fig-stimuli
# :name: fig-stimuli
# :alt: One reference picture per category with the name of the category below it.
#
# The first reference of each category, of {glue:text}`n:d` in all, in profile {glue:text}`profile`.
# ```
#
# In this run there are {glue:text}`n:d` pictures of {glue:text}`height:d` × {glue:text}`width:d` pixels. In the profile **mini** a program draws them, in the same sixteen categories: several kinds of object for each, with pose, size, proportions, colours, texture and light at random, before a background with the spectrum of natural pictures. Colour says nothing about the category; shape does. Any number of new ones can be drawn, which is what the miniatures were trained on. In the profile **paper** they are validation images of ILSVRC 2012, as many of each category drawn by lot over all its classes, cut to their shorter side and resized; those of a folder of one's own are cut and resized alike. Networks that have only seen drawings recognize little in photographs.
#
# ## Model sets
#
# In the paper six sets of networks generate metamers ({numref}`tab-2`): for convolutional networks and for transformers one single network, one ensemble, and one ensemble of robust networks. The single ones are the base line. VGG-19 was chosen by the paper because its features visualise well {cite:p}`mordvintsev2018differentiable`.
#
# ```{glue-table} tab-2
# :name: tab-2
# The sets of networks that generate metamers in this run, and who is in them in the paper.
#
# The paper speaks of four to five members; *Robust CNNs* has three, because no more were to be had: {ref}`reading 16 <reading-16>`.
# ```
#
# All other networks only evaluate, and those of a set do not evaluate its metamers. The paper's zoo has {glue:text}`wanted:d` networks, of which {glue:text}`available:d` were there when this page was made. *Robust* ones are trained on pictures that an adversary may change a little (by ℓ∞ 4/255, AlexNet 8/255), except Deit-Small, which is trained on corrupted pictures; *distilled* ones learn from other networks' answers instead of labels; and two were never trained at all.
#
# ```{glue-table} tab-zoo
# :name: tab-zoo
# The networks of the zoo "{glue:text}`zoo`". *Accuracy* is the share of new pictures that a network classifies correctly, *under attack* the share that it still gets right when an adversary takes 20 steps within 4/255.
#
# A dash: not known. Accuracies of miniatures are among the sixteen categories, measured when they were trained. Those of the paper's networks were published with the weights, among ImageNet's 1000 classes, and none under this attack; `metamerlib zoo verify` measures them on photographs. The paper's networks, with their numbers of parameters, are in its Table A1.
# ```
#
# ## Stages
#
# Networks differ in depth, so layers are compared by how far along they are. The paper takes 20, 50 and 80 % of the total depth, the **early**, **middle** and **late** stage. It does not say what depth is counted in. Here it is counted in the blocks that a network passes a picture through one after the other, and a stage taps the output of one of them, never a branch inside ({ref}`reading 9 <reading-9>`).
#
# ```{glue-table} tab-stages
# :name: tab-stages
# :class: full-width
# The module that each stage taps, by its name in the network: of *n* blocks, the stage at depth *p* taps number ⌈*p* · *n*⌉.
# ```
#
# ## What differs from the paper
#
# In the profile **paper** only what the readings say. In the profile **mini** the pictures are drawings and the networks miniatures ({doc}`/book/departures`); its budget per network is a small part of the paper's, and {doc}`05_recognizability` says how well the metamers match nevertheless.
