# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Appendix A: the model zoo
#
# One representative network per kind would not do, the paper says: what an architecture overlooks is the very question. So it gathers a *zoo* of {glue:text}`wanted:d` networks, convolutional ones, transformers and one mixer, most of them ordinary, some of them robust against small changes, two never trained at all. Who generates metamers is a choice among them; everybody else evaluates.

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

from metamerbook.ensembles.experimental_setup import zoo_facts
from metamerbook.ensembles.figures.model_zoo import figure_accuracies, table_model_zoo
from metamerbook.study.published import published
from metamerbook.study.study import Study

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %%
zoo = study.zoo.table()

# %% tags=["remove-cell"]
glue("tab-a1", table_model_zoo(zoo, published("table_a1")), display=False)
glue("fig-accuracies", figure_accuracies(zoo), display=False)
numbers = {"zoo": study.settings.zoo, "listed": len(published("table_a1"))}
for name, value in (numbers | zoo_facts(zoo)).items():
    glue(name, value, display=False)

# %% [markdown]
# ## The networks
#
# {numref}`tab-a1` has the paper's networks, and those of the zoo "{glue:text}`zoo`" that this page was made with in their place. There are {glue:text}`available:d` of {glue:text}`wanted:d`, with {glue:text}`parameters-fewest` to {glue:text}`parameters-most` parameters; in the median {glue:text}`share` times as many as the paper's.
#
# ```{glue-table} tab-a1
# :name: tab-a1
# :class: full-width
# The networks of the paper with what they were trained on and their numbers of parameters, and beside them those of the zoo "{glue:text}`zoo`": their parameters (*here*), accuracy on new pictures, and accuracy when *attacked* in 20 steps within 4/255. A dash: not known. Accuracies of miniatures are among the sixteen categories, measured when they were trained. Those of the paper's networks were published with the weights, among ImageNet's 1000 classes, and none under this attack; `metamerlib zoo verify` measures them on photographs.
#
# The paper's table lists {glue:text}`listed:d` networks; its text speaks of {glue:text}`wanted:d`, and its Table B2 names the two that are not listed.
# ```
#
# All of them learned from labels or, in the three *Meal* networks, from the answers of larger networks that had. The paper leaves out networks that learned without labels, because {cite:t}`feather2023metamers` found that this makes no difference to metamers. *Robust* networks come from RobustBench {cite:p}`croce2021robustbench`, except AlexNet, which comes from that same study and was trained against changes twice as large.
#
# ## How well they do
#
# The trained ones classify from {glue:text}`accuracy-lowest` (*{glue:text}`lowest-network`*) to {glue:text}`accuracy-highest` (*{glue:text}`highest-network`*) of new pictures correctly. Under attack, robust networks still classify {glue:text}`robust-attacked` on average, the others {glue:text}`standard-attacked`.
#
# ```{glue:figure} fig-accuracies
# :name: fig-accuracies
# :alt: One row per network with two points on an axis from 0 to 1, accuracy on new pictures and accuracy under attack, joined by a line. The rows of robust networks are named in bold.
#
# Share of new pictures that each network of the zoo "{glue:text}`zoo`" classifies correctly (dot), and the share left when an adversary may change every pixel value by 4/255 (ring). Bold: robust networks. Networks whose accuracy is not known here are left out.
# ```
#
# Two things follow for all other chapters. An evaluator can only miss in a metamer what it finds in a reference, which is why recognition is asked relative to its own answer for the reference. And one that was never trained gives most pictures one and the same class; it then "recognizes" whatever it is shown. Such evaluators are part of the paper's averages, and so of ours; where it matters, the numbers without them stand beside.
#
# ## What differs from the paper
#
# In the profile **paper** the networks are the published ones. In the profile **mini** each is a miniature with the same kind of layers, trained on drawings ({doc}`/book/departures`). A robust miniature is not a copy of the robust network either: it was trained to withstand attacks in its own small world. *DeiT-Small Robust* is the exception in both, since corrupted pictures are no adversary, and where accuracies under attack are known, the ring above shows what that means.
