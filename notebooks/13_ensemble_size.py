# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # How many networks?
#
# The paper recommends {glue:text}`low:d` to {glue:text}`high:d` networks in a set, from experience. If each further network takes away something that the others ignore, metamers should become more recognizable with every one; if a few networks already share most of what there is to share, the curve should flatten soon.

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
largest_ensemble = None  # ensembles of one up to so many networks

# %% tags=["hide-input"]
from IPython.display import Markdown
from myst_nb import glue

from metamerbook import Study
from metamerbook.ensembles.ensemble_size import ensemble_pool, ensemble_sizes
from metamerbook.ensembles.figures.ensemble_size import figure_ensemble_sizes
from metamerbook.ensembles.figures.optimisers import table_conditions
from metamerbook.ensembles.optimisers import ablation_study
from metamerbook.study.judging import contrasts, featured_stage
from metamerbook.study.published import statement
from metamerbook.study.words import network_label, stage_in_words

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% tags=["remove-input"]
Markdown(ablation_study(study).scope())

# %%
pool = ensemble_pool(study)
table = ensemble_sizes(study)

# %% tags=["remove-cell"]
differences = contrasts(table.assign(held_out=table["outside"]), ["size"], (1,))
glue("tab-sizes", table_conditions(table, differences, ["size"], "tab-sizes"), display=False)
glue("fig-sizes", figure_ensemble_sizes(table), display=False)
glue("pool", ", ".join(map(network_label, pool)), display=False)
glue("evaluators", int(table.loc[table["outside"], "evaluator"].nunique()), display=False)
glue("low", int(statement("set-size-low")["value"]), display=False)
glue("high", int(statement("set-size-high")["value"]), display=False)
glue("stage", stage_in_words(featured_stage(study)), display=False)

# %% [markdown]
# The networks are {glue:text}`pool`. For each size there are as many ensembles as networks: each network with those that follow it, in a circle. So every network is in equally many ensembles of a size, and sizes differ in the number alone. Every network makes the same number of steps in every ensemble; a larger ensemble therefore changes the picture more often in all. The evaluators are the {glue:text}`evaluators:d` networks outside the circle, the same for all sizes. Metamers are made at {glue:text}`stage`.
#
# ```{glue:figure} fig-sizes
# :name: fig-sizes
# :alt: Recognizability against the number of networks in the ensemble, a thin line for every evaluator, a point for every ensemble, and a thick line for the mean.
#
# Recognizability by number of networks. Thin: evaluators outside the circle (dotted: never trained); points: single ensembles; thick: the mean.
# ```
#
# ```{glue-table} tab-sizes
# :name: tab-sizes
# Recognizability by number of networks, over the evaluators outside the circle. Differences from ensembles of one are paired by evaluator; brackets are 95 % bootstrap intervals over evaluators, bold where they miss zero.
# ```
#
# Whether sets of the recommended sizes beat single networks is said in {doc}`15_claims`. A caution in both directions. The largest size is one ensemble and not several, so its mean leans on the choice of these very networks. And what looks like the gain of a further network may be the gain of its further steps; the chapter on the method shows how soon residuals stop falling ({doc}`03_methodology`).
