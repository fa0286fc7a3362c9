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

from metamerbook.ensembles import sentences
from metamerbook.ensembles.experimental_setup import model_sets_table, settings_table
from metamerbook.ensembles.figures.experimental_setup import table_model_sets, table_settings, table_stages, table_zoo
from metamerbook.ensembles.figures.recognizability import figure_stimuli
from metamerbook.ensembles.sentences import about_random_sets
from metamerbook.study.judging import one_per_category
from metamerbook.study.study import Study

# %%
study = Study.from_profile(
    profile,
    stages=stages,
    model_sets=model_sets,
    n_per_class=n_per_class,
    size=size,
    root=root,
    seed=seed,
    decision=decision,
    preset=preset,
    batch_size=batch_size,
    precision=precision,
    compile=compile,
)

# %% tags=["remove-input"]
Markdown(study.describe())

# %% tags=["remove-cell"]
positions = one_per_category(study)
shown = study.references[positions]
glue("fig-stimuli", figure_stimuli(shown.images, shown.category_names), display=False)
glue("tab-2", table_model_sets(model_sets_table(study)), display=False)
glue("tab-3", table_settings(settings_table(study)), display=False)
glue("tab-stages", table_stages(study.zoo.stage_table()), display=False)
glue("tab-zoo", table_zoo(study.zoo.table()), display=False)
glue("profile", sentences.profile_name(study), display=False)
glue("zoo", study.settings.zoo, display=False)
glue("accuracies-meant", Markdown(about_random_sets.accuracies_meant(study.zoo.table())), display=False)
glue("n", len(study.references), display=False)
glue("available", len(study.zoo), display=False)
glue("wanted", len(study.zoo) + len(study.zoo.missing), display=False)

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

# %% tags=["remove-input"]
Markdown(sentences.stimuli(study))

# %% [markdown]
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
# All other networks only judge, and those of a set do not judge its metamers. The paper's zoo has {glue:text}`wanted:d` networks, of which {glue:text}`available:d` were there when this page was made. *Robust* ones are trained on pictures that an adversary may change a little (by ℓ∞ 4/255, AlexNet 8/255), except Deit-Small, which is trained on corrupted pictures; *distilled* ones learn from other networks' answers instead of labels; and two were never trained at all.
#
# ```{glue-table} tab-zoo
# :name: tab-zoo
# The networks of the zoo "{glue:text}`zoo`". *Accuracy* is the share of new pictures that a network classifies correctly, *under attack* the share that it still gets right when an adversary takes 20 steps within 4/255.
#
# A dash: not known. {glue:md}`accuracies-meant` The paper's networks, with their numbers of parameters, are in its Table A1.
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
