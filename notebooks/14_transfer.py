# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Whose metamers for whom?
#
# The last part of the thesis outline takes single networks again and asks two questions. Are metamers of one network also metamers for networks of another architecture? And are they metamers for the *same* architecture, trained another time?

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
transfer_generators = None  # keys of networks, for instance ["alexnet", "vit_base"]

# %% tags=["hide-input"]
from IPython.display import Markdown
from myst_nb import glue

from metamerbook import Study
from metamerbook.ensembles import transfer as chapter
from metamerbook.ensembles.figures.transfer import figure_instances, figure_transfer, instance_label
from metamerbook.ensembles.optimisers import ablation_study
from metamerbook.study.judging import featured_stage
from metamerbook.study.words import enumerated, stage_in_words

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% tags=["remove-input"]
Markdown(ablation_study(study).scope())

# %%
generators, missing = chapter.transfer_generators(study)
table = chapter.transfer(study)

# %% tags=["remove-cell"]
related = chapter.related_generators(table)
for name, number in chapter.facts(table).items():
    glue(name, number, display=False)
glue("related", len(related), display=False)
glue("missing", Markdown(enumerated(map(instance_label, missing)) or "none"), display=False)
glue("fig-transfer", figure_transfer(table), display=False)
glue("fig-instances", figure_instances(table, related), display=False)
glue("generators", len(generators), display=False)
glue("evaluators", int(table["evaluator"].nunique()), display=False)
glue("stage", stage_in_words(featured_stage(study)), display=False)

# %% [markdown]
# ## From architecture to architecture
#
# Each of {glue:text}`generators:d` networks makes metamers of its own at {glue:text}`stage`, and {glue:text}`evaluators:d` networks look at them.
#
# ```{glue:figure} fig-transfer
# :name: fig-transfer
# :alt: A heat map with evaluators in rows and generating networks in columns; darker cells are higher recognizability. Cells of a network and its own metamers are framed, cells of another training of the same architecture framed by dashes.
#
# Recognizability of the metamers of each network (columns) by each evaluator (rows, by family), from 0 (white) to 1 (dark). Solid frame: the network itself. Dashed: another training of its architecture. Last row: mean over trained evaluators of other architectures.
# ```
#
# The networks recognize {glue:text}`own` of their own metamers, trained networks of other architectures {glue:text}`away`: {glue:text}`within` within a family and {glue:text}`across` across families. What the paper says of late metamers of single networks is judged in {doc}`15_claims`.
#
# Columns tell whose metamers travel, rows tell who accepts the metamers of others. A row that is dark throughout is a lenient network and no sign of kinship; a network that was never trained can be one.
#
# A network need not recognize all of its own metamers. They match at one stage only approximately, and what is left can be enough to change the answer at the end.
#
# ## From training to training
#
# Two trainings of one architecture begin with other random weights and see pictures in another order; a robust training sees attacked ones as well. If metamers failed to travel even between them, what a network ignores would be an accident of its training and no property of its architecture. Of the metamers of {glue:text}`related:d` networks that share an architecture with another, the network itself recognizes {glue:text}`related-own`, another training of the architecture {glue:text}`related-training`, other architectures {glue:text}`related-away`.
#
# ```{glue:figure} fig-instances
# :name: fig-instances
# :alt: One row per network that shares its architecture with another: a cross for the network itself, rhombi for other trainings of its architecture, faint points for other architectures with a tick at their mean, on an axis of recognizability.
#
# Who recognizes the metamers of networks that share their architecture with another: the network itself, other trainings, other architectures. Without rows where no such pair took part (missing networks: {glue:md}`missing`).
# ```
#
# ## What differs from the thesis outline
#
# "Metameric" is judged by the class that a network gives, as everywhere in the paper. The stricter tests, by activations, are in the chapter on representations. In the paper's zoo the two kinds of training are ordinary and robust; further ordinary trainings of ResNet-18 are only in the zoo of miniatures.
