# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Recognizability
#
# The central result. Metamers of every set of networks are made at every stage, shown to networks that had no part in them, and each is asked: is it still the same thing? If networks of one ensemble share what matters and differ in what they overlook, ensembles should do better than single networks, above all at late stages.

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

from metamerbook.ensembles import recognizability as chapter
from metamerbook.ensembles.figures import recognizability as figures
from metamerbook.study import words
from metamerbook.study.judging import featured_stage, spread_over_categories
from metamerbook.study.published import published_means
from metamerbook.study.study import Study

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %% [markdown]
# ## Metamers to look at
#
# Before any number: what do they look like?

# %%
stage = featured_stage(study)
few, many = spread_over_categories(study, 3), spread_over_categories(study, 16)
gallery = chapter.examples(study, few)
deepest = {key: metamers for key, metamers in chapter.examples(study, many).items() if key[1] == stage}

# %% tags=["remove-cell"]
references = study.references.images
glue("fig-2", figures.figure_examples(references[few], gallery), display=False)
glue("fig-gallery", figures.figure_examples(references[many], deepest), display=False)
glue("made-of", Markdown(words.provenance(study)), display=False)
glue("left-out", Markdown(words.left_out(study)), display=False)
glue("stage", words.stage_in_words(stage), display=False)

# %% [markdown]
# ```{glue:figure} fig-2
# :name: fig-2
# :alt: A grid of pictures. The first row shows three references, once for each stage; each further row shows the metamers that one set of networks has of them at that stage.
#
# References and their metamers, by set of networks (rows) and stage (columns). Pictures of more than 128 px are shown reduced, which averages fine noise away; `metamerlib run --pictures` writes them whole. {glue:md}`made-of` {glue:md}`left-out`
# ```
#
# The paper's account of its own Figure 2 is a good guide for the eye. At the early stage all sets should give pictures of the object. Deeper down, single networks lose it first; *CNN* and the robust ensembles keep it. Robust ensembles come closest to the reference, colours included, though nothing asks them to. And each set leaves traces of its own: noise in most, a checkerboard in those of robust convolutional networks, which overlapping convolutions explain {cite:p}`odena2016deconvolution`.
#
# {numref}`fig-gallery` shows one metamer of every category at {glue:text}`stage`, the deepest of this run. At the late stage the sets differ most in the paper.
#
# ```{glue:figure} fig-gallery
# :name: fig-gallery
# :alt: A grid of pictures, references in the first row and below it the metamers of each set of networks, for all categories at one stage.
#
# Metamers of the first reference of every category at {glue:text}`stage`. {glue:md}`made-of`
# ```
#
# ## Do they match?
#
# A picture is a metamer only as far as the search succeeded. {numref}`tab-residuals` lists what is left of the distance {eq}`eq-loss` for every network that took part, before and after.

# %%
residuals = chapter.residuals(study)
longer = chapter.longer_search(study, residuals)

# %% tags=["remove-cell"]
glue("tab-residuals", figures.table_residuals(residuals), display=False)

# %% [markdown]
# ```{glue-table} tab-residuals
# :name: tab-residuals
# :class: full-width
# Residual ‖a′ − a‖ / ‖a‖ of every network at every stage, averaged over the pictures: at the start → at the end.
# ```
#
# The residual ends below 0.1 for {glue:text}`matched:d` of {glue:text}`networks:d` networks of sets and stages. The best match is {glue:text}`residual-best:.3f`, the worst {glue:text}`residual-worst:.3f`, in *{glue:text}`worst-set`*. The paper prints no residuals, so there is nothing to hold these against. They say how to read what follows: a metamer that is not recognized *and* matches badly tells little about the network.
#
# A bad match can be the network's doing, or that of a short search. Where the first stage, at which a picture is easiest to match, ends above 0.1 under a short budget, the search for the set with the worst match is repeated on some of the pictures with eight times as many updates. The table is empty where there was no need:

# %% tags=["remove-input"]
figures.table_longer_search(longer)

# %% [markdown]
# ## How many are recognized
#
# An evaluator recognizes a metamer if it puts it into the class that it puts the reference into. The share of recognized metamers is the evaluator's **recognizability** of a set at a stage. Networks of the generating set are left out, because they were optimised to agree.

# %%
table = chapter.recognizability(study)
means = chapter.mean_recognizability(table)
overall = chapter.overall_recognizability(table)
criteria = chapter.criteria_table(study)

# %% tags=["remove-cell"]
chance = 1 / len(set(study.references.labels.tolist()))
glue("fig-3", figures.figure_recognizability(table, chance=chance), display=False)
glue("fig-evaluators", figures.figure_evaluators(table), display=False)
glue("tab-means", figures.table_means(overall, published_means()), display=False)
glue("tab-criteria", figures.table_criteria(criteria), display=False)
numbers = chapter.facts(residuals, means, overall, criteria, stage)
for name, value in (numbers | {"chance": chance, "n": len(study.references)}).items():
    glue(name, value, display=False)

# %% [markdown]
# ```{glue:figure} fig-3
# :name: fig-3
# :alt: Rows of panels, one row per family of networks. The first panel of a row compares the mean recognizability of the family's sets over the stages; each further panel shows one set, with a faint line for every evaluator and a strong one for their mean.
#
# Recognizability of metamers by stage. Left, the means of the sets of a family; then each set on its own, with every evaluator that had no part in it as a faint line (grey and dotted: never trained). The dotted horizontal is what an evaluator gets that knows all references and sees the same thing in every metamer, {glue:text}`chance:.3f`. {glue:md}`made-of` {glue:md}`left-out`
# ```
#
# At {glue:text}`stage`, averaged over evaluators, sets reach from {glue:text}`lowest:.2f` (*{glue:text}`lowest-set`*) to {glue:text}`highest:.2f` (*{glue:text}`highest-set`*).
#
# The paper's Figure 3 has the same axes and prints no values. What it reports in words is that recognizability survives all stages for *CNN* and *Robust CNNs*, where it usually drops fast, and that they pay for it with a rather low recognizability at the early stage. Whether each of these statements holds in this run, {doc}`the chapter on the claims <15_claims>` says.
#
# ## Averaged over everything
#
# Three numbers the paper does print: the mean over all evaluators (and, as we read it, over all sets) per stage.
#
# ```{glue-table} tab-means
# :name: tab-means
# Mean recognizability ± standard deviation per stage, in the paper (section 4.5) and here. The mean is over all pairs of a set and an evaluator that had no part in it, and so is the standard deviation.
#
# An evaluator that was never trained may give everything one class and so "recognize" everything; the last mean leaves such evaluators out ({ref}`reading 15 <reading-15>`).
# ```
#
# Of the stages that the paper reports, our mean is at most {glue:text}`from-published:.2f` away from its own; leaving out untrained evaluators moves a mean by at most {glue:text}`untrained:.3f`. The networks, pictures and budgets of the profile **mini** are not the paper's, so these numbers need not agree. Whether two worlds agree in what depends on what is the question that the smaller one can answer.
#
# ## Evaluator by evaluator
#
# A mean over evaluators can hide that one family recognizes what another does not. {numref}`fig-evaluators` takes it apart.
#
# ```{glue:figure} fig-evaluators
# :name: fig-evaluators
# :alt: A heat map with one row per evaluator and one column per set and stage; darker cells are higher recognizability. Cells of evaluators that took part in the generation are framed.
#
# Recognizability by evaluator (rows, by family), set and stage (columns), from 0 (white) to 1 (dark). Framed: the evaluator took part in the generation; such cells do not enter the means in the last row. {glue:md}`made-of`
# ```
#
# With {glue:text}`n:d` pictures a single cell is uncertain; the table that the figure is drawn from carries a 95 % interval for each (`low`, `high`).
#
# ## Recognized as what?
#
# "The same class" needs a second look: the same as what? The paper says once, as the generating model's; once, in its figure, as the reference's ({ref}`reading 10 <reading-10>`). We ask each evaluator for its own class of the reference. The two alternatives, the true category and the class that the generating networks agree on, differ from it where an evaluator gets references wrong. Either moves the mean of a set and stage by {glue:text}`criterion-mean:.2f` on average, and by at most {glue:text}`criterion-max:.2f`.
#
# ```{glue-table} tab-criteria
# :name: tab-criteria
# Mean recognizability over evaluators that had no part in the generation, by what counts as recognized.
# ```
#
# ## What differs from the paper
#
# Who counts as an evaluator ({ref}`reading 14 <reading-14>`), what counts as recognized ({ref}`reading 10 <reading-10>`), how many pictures there are ({ref}`reading 12 <reading-12>`), and, in the profile **mini**, the world that all of it happens in ({doc}`/book/departures`).
