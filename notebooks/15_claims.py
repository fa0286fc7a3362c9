# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Claim by claim
#
# What does the paper say, and is it so? This page lists its claims, in our words, each with the number that the paper gives (if it gives one), what was measured here, and a verdict. No verdict was written by hand: each follows by a rule from the tables behind the other chapters, and changes when they change.

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

from metamerbook.ensembles import claims as chapter
from metamerbook.ensembles.figures import claims as figures
from metamerbook.study.claims import claims_by_part, claims_summary
from metamerbook.study.study import Study
from metamerbook.study.words import profile_name

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %%
claims = chapter.claims(study)
parts = claims_by_part(claims)
summary = claims_summary(claims)

# %% tags=["remove-cell"]
glue("fig-verdicts", figures.figure_verdicts(claims), display=False)
glue("tab-verdicts", figures.table_claims_summary(summary), display=False)
glue("profile", profile_name(study), display=False)
glue("claims", len(claims), display=False)
for name, count in zip(("hold", "fail", "undecided", "untestable"), summary["claims"], strict=True):
    glue(name, count, display=False)
for name, part in zip(
    ("introduction", "set-up", "results", "restricted", "discussion", "appendix"), parts, strict=True
):
    glue(f"tab-claims-{name}", figures.table_claims(parts[part], f"tab-claims-{name}"), display=False)

# %% [markdown]
# Of the paper's {glue:text}`claims:d` claims, **✔ {glue:text}`hold:d` hold** here, **✘ {glue:text}`fail:d` do not hold**, **? {glue:text}`undecided:d` are undecided**, and **– {glue:text}`untestable:d` cannot be tested**.
#
# ```{glue:figure} fig-verdicts
# :name: fig-verdicts
# :alt: One horizontal bar per part of the paper, divided by verdict into holds, does not hold, undecided and cannot be tested, each piece with a sign and the number of claims.
#
# How many claims of each part of the paper came to which verdict, in profile {glue:text}`profile`. A claim made in several places counts where it is made first.
# ```
#
# ## How the verdicts come about
#
# A claim is turned into one or more measured quantities, and each quantity into an interval that it must lie in if the claim is true: a difference above zero, a share above one half, a mean within the spread that the paper prints. Each quantity has a 95 % bootstrap interval, over evaluators, pictures, sets or networks, whatever the claim is about.
#
# - **✔ holds**: all of a claim's intervals lie inside what is claimed.
# - **✘ does not hold**: one of them lies wholly outside.
# - **? undecided**: one of them lies on both sides, and none outside. More evaluators or pictures would be needed.
# - **– cannot be tested**: something is missing, such as people, a model set, or evaluators that had no part in any of the sets compared. The reason says what.
#
# "Recognizable", where the paper gives no number, means: by more than half. Under *here* stands the quantity that decided, the least favourable one.
#
# What a verdict cannot say: whether a claim holds in another world than the one that was run. A claim that fails for miniatures on drawings may hold for large networks on photographs, and the other way round. Nothing is corrected for the number of claims either; among as many, a few intervals miss by chance.
#
# ## Abstract and introduction
#
# What the paper promises before it begins.
#
# ```{glue-table} tab-claims-introduction
# :name: tab-claims-introduction
# :class: full-width
# Claims that the paper makes first in: Abstract and introduction.
# ```
#
# ## Section 4, set-up
#
# What is said in passing about optimisers, data and the size of sets.
#
# ```{glue-table} tab-claims-set-up
# :name: tab-claims-set-up
# :class: full-width
# Claims that the paper makes first in: Section 4, set-up.
# ```
#
# ## Section 4.5, results
#
# The main results, and what is said about them in the captions.
#
# ```{glue-table} tab-claims-results
# :name: tab-claims-results
# :class: full-width
# Claims that the paper makes first in: Section 4.5, results.
# ```
#
# ## Section 4.6, restricted search
#
# Metamers that must stay near where they began.
#
# ```{glue-table} tab-claims-restricted
# :name: tab-claims-restricted
# :class: full-width
# Claims that the paper makes first in: Section 4.6, restricted search.
# ```
#
# ## Section 5, discussion
#
# What the discussion adds.
#
# ```{glue-table} tab-claims-discussion
# :name: tab-claims-discussion
# :class: full-width
# Claims that the paper makes first in: Section 5, discussion.
# ```
#
# ## Appendix B
#
# Random sets of networks.
#
# ```{glue-table} tab-claims-appendix
# :name: tab-claims-appendix
# :class: full-width
# Claims that the paper makes first in: Appendix B.
# ```
#
# ## All verdicts
#
# ```{glue-table} tab-verdicts
# :name: tab-verdicts
# Claims by verdict, under the names that they have in `data/published/claims.csv`.
# ```
