# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Representational similarity
#
# A class is the last word of a network and says little about what it saw. Two pictures can share it and lie far apart in every layer; or differ in it, because one lies just across a border. This chapter looks at the activations themselves, in networks that had no part in making the metamers: do metamers lie where pictures of things lie? And it asks the networks that did have a part whether the search has succeeded at all.

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
from metamerbook.ensembles import representational_similarity as chapter
from metamerbook.ensembles.figures.representational_similarity import (
    figure_densities,
    figure_divergence,
    figure_success,
    table_representation,
    table_success,
)
from metamerbook.ensembles.recognizability import recognizability
from metamerbook.study.judging import featured_stage
from metamerbook.study.words import left_out, network_label, provenance, signed, stage_in_words

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% [markdown]
# ## Distributions of distances
#
# In the space of a layer's activations every picture is a point. Take the Euclidean distances between all pairs of different references; between all pairs of different metamers; and between references and metamers of *other* references. If metamers are spread among the representations as references are, these three collections of numbers look alike. Each is smoothed into a density, and two densities are compared by the **Jensen-Shannon divergence** {cite:p}`lin1991divergence`: 0 bit if they are equal, 1 bit if they nowhere overlap.

# %%
stage = featured_stage(study)
divergences = chapter.divergence(study)
means = chapter.mean_representation(divergences, chapter.distance_correlations(study))
evaluator = chapter.common_evaluator(divergences, stage)
densities = chapter.distance_densities(study, stage, evaluator)
success = chapter.metamer_success(study)
counts = chapter.success_counts(success)

# %% tags=["remove-cell"]
cells = divergences[(divergences["stage"] == stage) & (divergences["evaluator"] == evaluator)]
glue("fig-densities", figure_densities(densities, cells), display=False)
glue("fig-5", figure_divergence(divergences), display=False)
glue("tab-representation", table_representation(means), display=False)
glue("made-of", Markdown(provenance(study)), display=False)
glue("left-out", Markdown(left_out(study)), display=False)
glue("stage", stage_in_words(stage), display=False)
glue("evaluator", network_label(evaluator), display=False)
glue("layer", cells["layer"].iloc[0], display=False)
correlation, compared = chapter.divergence_agreement(divergences, recognizability(study))
glue("rank-correlation", signed(correlation), display=False)
glue("compared", compared, display=False)
for name, number in chapter.facts(means, counts).items():
    glue(name, number, display=False)
glue("permutations", study.settings.of(chapter.RepresentationalSimilarity).permutations, display=False)
glue("n", len(study.references), display=False)

# %% [markdown]
# ```{glue:figure} fig-densities
# :name: fig-densities
# :alt: A panel for each set of networks with four curves over the distance between activations, for pairs of references, of metamers, of a reference and a metamer, and of a metamer and its own reference.
#
# Distances between activations in {glue:text}`evaluator` (layer {glue:text}`layer`) at {glue:text}`stage`, smoothed, each curve scaled to the same height. The divergence that is written above each panel compares the two filled curves. {glue:md}`made-of`
# ```
#
# The dotted curve is another matter: the distance of each metamer from *its own* reference. For a perfect metamer it is zero, so the further left it lies, the better. The filled ones say whether metamers are ordinary members of the crowd.
#
# {numref}`fig-5` shows the divergence of the filled curves for every evaluator.
#
# ```{glue:figure} fig-5
# :name: fig-5
# :alt: A heat map with one row per evaluator and one column per set and stage; darker cells are larger divergences. Cells of evaluators that took part in the generation have a dashed outline.
#
# Jensen-Shannon divergence, in bits, between the distances of reference-reference pairs and those of reference-metamer pairs, by evaluator (rows, by family), set and stage (columns). Dashed outlines: the evaluator took part in the generation; such cells do not enter the means in the last row. {glue:md}`made-of` {glue:md}`left-out`
# ```
#
# {numref}`tab-representation` has the means by set. Does the divergence tell which metamers are recognized? Over the {glue:text}`compared:d` cells of evaluators that took no part, its rank correlation with recognizability is {glue:text}`rank-correlation`.
#
# ## One look is not enough
#
# A low value in {numref}`fig-5` is necessary for good metamers, not sufficient. Suppose that a search has hardly moved its pictures from grey: the network sees the same thing in all of them, one point near the middle of the crowd. From there, references are about as far away as from each other, and the divergence is low. It is the distances among the metamers themselves that give them away, because they are nearly zero. Averaged over evaluators, distances among metamers differ from those among references more than distances between the two do in {glue:text}`apart:d` of {glue:text}`pairs:d` pairs of a set and a stage.
#
# Nor does any distribution tell *which* pictures lie close together. So there is a third look, from the analysis of representations in neuroscience {cite:p}`kriegeskorte2008representational`: if two references are far apart, are their metamers? The distances among references and those among their metamers are correlated, pair by pair. Whether a correlation is more than chance is decided by shuffling which metamer belongs to which reference, {glue:text}`permutations:d` times. It is (p < .05) in {glue:text}`significant:d` of {glue:text}`tested:d` combinations of set, stage and evaluator.
#
# ```{glue-table} tab-representation
# :name: tab-representation
# :class: full-width
# Means over the evaluators that had no part in the generation. *ref–met*, *met–met* and *matching*: divergence, in bits, of distances between these from distances among references; the first is the last row of {numref}`fig-5`. *Pearson* and *Spearman*: correlation between distances among references and distances among their metamers, with the lowest and highest evaluator; *p < .05*: evaluators in which Pearson's is more than chance, one-sided, by permutation, without correction for their number.
#
# With *matching* large values are good: metamers are then closer to their own references than references are to each other (or further away; {numref}`fig-densities` tells).
# ```
#
# ## Is it a metamer at all?
#
# All this asks what *other* networks make of metamers. Before it can mean anything, the pictures must be metamers of their own networks, and no residual is exactly zero. {cite:t}`feather2019metamers,feather2023metamers` asked for two things. The activations of metamer and reference must be more alike than those of *any* pair of unrelated pictures, by three measures at once: Pearson's and Spearman's correlation, and the ratio of signal to noise. And the network must give both the same class. The unrelated pairs are all ordered pairs of two references, and a metamer of an ensemble has to pass in each of its networks.

# %% tags=["remove-cell"]
glue("fig-success", figure_success(counts), display=False)
glue("tab-success", table_success(counts), display=False)
glue("null-pairs", int(success["null_pairs"].max()), display=False)
glue("quantile", study.settings.of(chapter.RepresentationalSimilarity).null_quantile, display=False)

# %% [markdown]
# Of all {glue:text}`images:d` pictures, sets and stages taken together, {glue:text}`metamers:d` pass: {glue:text}`close:d` are close enough and {glue:text}`same-class:d` have the same class.
#
# ```{glue:figure} fig-success
# :name: fig-success
# :alt: A panel for each set of networks with the share of metamers that pass the test at each stage, a strong line for passing in all networks of the set and faint ones for each network.
#
# Share of pictures that pass as metamers by stage. Strong: in every network of the set, with a 95 % interval over pictures; faint: in one of its networks. {glue:md}`made-of`
# ```
#
# In the ensembles, a picture is a metamer for any one of the networks in {glue:text}`alone` of the cases, for all of them in {glue:text}`together`.
#
# ```{glue-table} tab-success
# :name: tab-success
# :class: full-width
# Pictures that pass, in every network of the set at once. *Closer than chance*: all three measures exceed the quantile {glue:text}`quantile:.3g` of {glue:text}`null-pairs:d` unrelated pairs. *Same class*: every network of the set gives metamer and reference one class. *Metamers*: both.
#
# At a quantile of 1 a picture must be closer to its reference than the closest of all unrelated pairs. That pair may show two things of one category in one pose, so the bar rises with the number of references and with how alike they are.
# ```
#
# A picture that fails is not thrown away. It entered every other chapter, because leaving out the failures of one set and not of another would compare sets on different pictures. What it means is that a low recognizability of a set with many failures says little about the networks and much about the search.
#
# ## What differs from the paper
#
# The paper's text takes each metamer and its own reference as the reference-metamer pairs, and compares "each possible pair" of distributions without saying which its figure shows; here different pictures are paired, and all comparisons are in the table ({ref}`reading 17 <reading-17>`). It says that more than 80 pictures suffice for such distributions; there are {glue:text}`n:d` here. The correlation of distances comes from the outline of the thesis behind the paper, and the test of success from the work that the paper builds on; the paper reports neither.
