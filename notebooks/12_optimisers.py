# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Optimisers, starts and turns
#
# The thesis behind the paper began with a complaint: making a metamer takes tens of thousands of updates. Its outline asks whether another optimiser, a start nearer to the reference, or another way to share the work between networks would do better. The paper itself says only that other optimisers brought nothing. This chapter tries.

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
ablation_initializers = None  # for instance ["l1_ball", "normal", "mix"]

# %% tags=["hide-input"]
from IPython.display import Markdown
from myst_nb import glue

from metamerbook import Study
from metamerbook.ensembles import optimisers as chapter
from metamerbook.ensembles.figures.optimisers import (
    condition_label,
    figure_conditions,
    figure_convergence,
    table_conditions,
)
from metamerbook.study.judging import contrasts, featured_set, featured_stage
from metamerbook.study.words import members, stage_in_words

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% tags=["remove-input"]
Markdown(chapter.ablation_study(study).scope())

# %% tags=["remove-cell"]
glue("set", featured_set(study), display=False)
glue("members", Markdown(members(study, featured_set(study))), display=False)
starts = study.settings.of(chapter.Optimisers).ablation_initializers
glue("starts", "; ".join(condition_label([start]) for start in starts), display=False)
glue("stage", stage_in_words(featured_stage(study)), display=False)

# %% [markdown]
# All runs below make metamers of the set *{glue:text}`set`* ({glue:md}`members`) at {glue:text}`stage`, of the same pictures, with the same number of steps.
#
# ## Optimiser and start
#
# **Three optimisers.** Plain gradient descent goes along the gradient, whose length is set to one. Momentum adds a memory: nine tenths of the last step are taken again. Adam {cite:p}`kingma2015adam` scales each pixel's step by how large its gradients have been. With one and the same learning rate, the comparison would be between lengths of steps and not between ways to choose them, so each optimiser's rate is set such that its steps are about as long as those of plain gradient descent.
#
# **Starts.** The paper starts from grey. Compared here: {glue:text}`starts`. A start on the reference itself would be no search at all, since there the residual is zero; half a reference under noise is the nearest that makes sense.

# %%
history = chapter.convergence(study, chapter.optimizer_runs(study))
table = chapter.optimizers(study)

# %% tags=["remove-cell"]
by = ["optimizer", "initializer"]
differences = contrasts(table, by, table[by].iloc[0])
differences = differences.merge(chapter.rounds_needed(history, by), on=by)
glue("fig-optimizers", figure_convergence(history, "optimizer", "initializer"), display=False)
glue("fig-optimizer-recognizability", figure_conditions(table, differences, by), display=False)
glue("tab-optimizers", table_conditions(table, differences, by, "tab-optimizers"), display=False)

# %% [markdown]
# ```{glue:figure} fig-optimizers
# :name: fig-optimizers
# :alt: One panel per start; in each, one curve per optimiser of the residual on a logarithmic axis over rounds, with a thin line for every network.
#
# How the residual falls under three optimisers, by start. Thick: mean over the networks of the set; thin: each network. One round gives each network the same number of steps.
# ```
#
# A lower residual is a better metamer for the networks that made it. Whether other networks agree is the question that counts:
#
# ```{glue:figure} fig-optimizer-recognizability
# :name: fig-optimizer-recognizability
# :alt: One row per optimiser and start with a faint point for every evaluator and a rhombus at their mean, on an axis of recognizability from 0 to 1.
#
# Recognizability of the finished metamers. Faint: evaluators that had no part in the generation; rhombus, with its value: their mean; dotted: the mean of the first row, which the others are compared with.
# ```
#
# ```{glue-table} tab-optimizers
# :name: tab-optimizers
# Residual at the end (mean over pictures and networks) and recognizability, by optimiser and start. *Rounds*: after how many the residual is as low as that of the first row is at its end; a dash where it never is, or was from the start. Differences are paired by evaluator; brackets are 95 % bootstrap intervals over evaluators, bold where they miss zero.
# ```
#
# Read the starts with care. A metamer that began near the reference may be recognized because it never left it. That says something about the start, and nothing about what the networks have in common: with a short search, what the networks ignore stays as it was at the beginning.
#
# ## Taking turns, or all at once
#
# Algorithm 1 lets the networks take turns: each changes the picture by its own gradient, and hands it on. The alternative is to add up the gradients of all networks and to take one step for all. Both ask every network equally often.

# %%
turns = chapter.modes(study)
turns_history = chapter.convergence(study, chapter.mode_runs(study))

# %% tags=["remove-cell"]
turns_differences = contrasts(turns, ["mode"], ("round_robin",))
turns_differences = turns_differences.merge(chapter.rounds_needed(turns_history, ["mode"]), on="mode")
glue("fig-modes", figure_convergence(turns_history, "mode"), display=False)
glue("tab-modes", table_conditions(turns, turns_differences, ["mode"], "tab-modes"), display=False)

# %% [markdown]
# ```{glue:figure} fig-modes
# :name: fig-modes
# :alt: Two curves of the residual on a logarithmic axis over rounds, for networks that take turns and for all networks at once, with a thin line for every network.
#
# How the residual falls when networks take turns, and when their gradients are added up. In one round each network's gradient is taken equally often; the picture itself is changed less often when all act at once.
# ```
#
# ```{glue-table} tab-modes
# :name: tab-modes
# Residual at the end and recognizability, by turns and all at once, as in {numref}`tab-optimizers`.
# ```
#
# ## What differs from the thesis outline
#
# The outline asks for fewer updates until a *successful* metamer. What success means it leaves open, so the curves show all updates. Budgets are those of the profile, and much smaller than the paper's in profile **mini**: an optimiser that wins a sprint need not win a marathon.
