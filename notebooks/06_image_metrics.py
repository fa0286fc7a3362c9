# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Image metrics
#
# Recognizability asks networks what they see. Image metrics ask how a picture looks, most of them without any network: how much of the reference's structure is there, how much noise, how much contrast. {numref}`tab-1` lists the paper's nine. They were made to judge compression and generated pictures, not metamers. Do they prefer the same sets of networks, and do they prefer what is recognized?

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
repetitions = None  # of the optimisation

# %% tags=["hide-input"]
from IPython.display import Markdown
from myst_nb import glue

from metamerbook import Study
from metamerbook.ensembles.figures.image_metrics import (
    figure_image_metrics,
    table_image_metrics,
    table_metric_agreement,
)
from metamerbook.ensembles.image_metrics import absent, facts, image_metrics, mean_image_metrics, metric_agreement
from metamerbook.ensembles.recognizability import mean_recognizability, recognizability
from metamerbook.study.words import left_out, provenance

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% [markdown]
# ## Every set, stage and metric
#
# Each metamer is compared with its own reference. FID and KID compare all metamers of a set and stage with all references at once, and total variation looks at the metamer alone.

# %%
means = mean_image_metrics(image_metrics(study))
agreement = metric_agreement(means, mean_recognizability(recognizability(study)))

# %% tags=["remove-cell"]
glue("fig-4", figure_image_metrics(means), display=False)
glue("tab-image-metrics", table_image_metrics(means), display=False)
glue("tab-metric-agreement", table_metric_agreement(agreement), display=False)
glue("made-of", Markdown(provenance(study)), display=False)
glue("left-out", Markdown(left_out(study)), display=False)
glue("absent", Markdown(absent(means)), display=False)
for name, number in facts(means, agreement).items():
    glue(name, number, display=False)

# %% [markdown]
# ```{glue:figure} fig-4
# :name: fig-4
# :alt: A panel for each image metric with lines over the stages, one line per set of networks, and an arrow that says whether higher or lower values are better. A metric that was not measured has an empty panel with the reason.
#
# Image metrics by stage, averaged over the pictures (bars: one standard error over pictures). The arrow points to the better side. Below the name, the network that a learned metric asks; n is the number of pictures behind each value. Dotted: the references' own total variation. Not measured: {glue:md}`absent`. {glue:md}`made-of` {glue:md}`left-out`
# ```
#
# Unlike the paper's figure, nothing is scaled to a common maximum; each metric keeps its own units. FID and LPIPS are defined through particular networks, trained on photographs. Where a network of our own stands in for them, it is named, and the values compare with each other but not with any published ones.
#
# FID and KID compare {glue:text}`n-of-sets:d` metamers with as many references. Below some two thousand, FID is biased: its values can be compared with each other, since all sets have as many images, and with nothing else. KID has no such bias, but it varies the more.
#
# Which set looks best depends on who is asked: {numref}`tab-image-metrics` has the best mean of each stage in bold. From the first stage to the last, {glue:text}`worse:d` of {glue:text}`compared:d` pairs of a metric and a set get worse.
#
# ```{glue-table} tab-image-metrics
# :name: tab-image-metrics
# :class: full-width
# The means behind {numref}`fig-4`; in bold the best set of each stage. Arrows point to the better side.
#
# RASE stands twice: as torchmetrics computes it, which divides by a window's area twice and is infinite where a window of the reference is black (such pictures are left out of its mean), and as it is defined, in percent of the reference's mean ({ref}`reading 18 <reading-18>`).
# ```
#
# Two traps. Total variation prefers smooth pictures whatever they show, and plain grey, from which every search starts, is perfect to it: a metamer that has hardly changed looks good by it. And differences between pictures are much larger than differences between sets, which is why the bars are long; the sets are compared on the same pictures, so that a line may lie above another with more certainty than their bars suggest.
#
# ## Do they find the metamers that are recognized?
#
# The paper remarks that metrics which have learned nothing still find the best metamers. {numref}`tab-metric-agreement` puts this to the test: all pairs of a set and a stage are ranked by each metric, and by their mean recognizability among networks that had no part. The mean rank correlation is {glue:text}`learned` for metrics that ask a network and {glue:text}`plain` for those that do not; whether the paper's remark holds is said in {doc}`15_claims`.
#
# ```{glue-table} tab-metric-agreement
# :name: tab-metric-agreement
# Agreement of each metric with recognizability: Spearman's rank correlation over pairs of a set and a stage. Metrics are turned so that +1 means that the better-looking metamers are always the better recognized.
#
# The pairs are few and not independent, so small differences between rows mean nothing.
# ```
#
# ## What differs from the paper
#
# KID stands beside FID, because FID is biased where pictures are few, and a corrected RASE beside the usual one ({ref}`reading 18 <reading-18>`). CLIP-IQA asks an image-text model; where none is at hand, it is left empty rather than replaced by something else. Everything else follows from the world that the pictures come from ({doc}`/book/departures`).
