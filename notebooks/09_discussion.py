# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Discussion and conclusion
#
# The paper's last two sections say what its results mean. Some of that is a statement about measurements, and can be tested on ours; some is an explanation, which no measurement of this kind can confirm. This chapter goes through them in the paper's order. Each table below gives the paper's claims in our words, the quantity that decided with its 95 % interval, and the verdict that follows by rule from this run's tables ({doc}`15_claims`).

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
from metamerbook.ensembles.figures.claims import table_discussed
from metamerbook.study.study import Study

study = Study.from_parameters(globals())

# %% tags=["remove-input"]
Markdown(study.describe())

# %%
claims = chapter.claims(study)
verdicts = claims.set_index("id")["verdict"]

# %% tags=["remove-cell"]
for section, name in (("5.1", "architecture"), ("5.2", "natural-look"), ("5.3", "attacks"), ("5.4", "transfer")):
    discussed = chapter.claims_made_in(claims, section)
    glue(f"tab-discussed-{name}", table_discussed(discussed, f"tab-discussed-{name}"), display=False)
for name in ("ensembles-transfer", "cnns-transfer-best", "robust-transformers-not-recognized", "natural-transfers"):
    glue(name, verdicts[name], display=False)

# %% [markdown]
# ## Architecture
#
# The paper finds metamers of convolutional networks better recognized and more natural than those of transformers. It puts this down to local receptive fields and to weights that are shared over the picture, which such networks have in common with the first stages of the visual system.
#
# ```{glue-table} tab-discussed-architecture
# :name: tab-discussed-architecture
# :class: full-width
# What section 5.1 of the paper claims.
# ```
#
# The explanation is plausible and untested, there as here. The two families differ in much besides: how they were trained, how large they are, and how their layers line up when depth is counted in shares. A test would change one thing at a time.
#
# ## Natural look and transfer
#
# Metamers that look natural are said to transfer best, with one exception: those of robust transformers look most natural of all, and are recognized less than their look suggests.
#
# ```{glue-table} tab-discussed-natural-look
# :name: tab-discussed-natural-look
# :class: full-width
# What section 5.2 of the paper claims.
# ```
#
# "Natural" is the paper's word for what its authors saw. Here it means what the image metrics of {doc}`the chapter on them <06_image_metrics>` can tell, which is likeness to the reference, noise and smoothness. A picture can be natural in neither sense and still be recognized by people.
#
# ## Metamers and attacks
#
# Both are found by following gradients; one looks for the largest change in the answer by the smallest change of the picture, the other for the largest change of the picture that leaves the answer as it is. Several networks at once make attacks transfer {cite:p}`tramer2018ensemble,chen2023adaptive`, and the paper sees its ensembles as the same effect.
#
# ```{glue-table} tab-discussed-attacks
# :name: tab-discussed-attacks
# :class: full-width
# What section 5.3 of the paper claims.
# ```
#
# {doc}`The comparison with attacks <08_adversarial_examples>` makes both on the same pictures and networks.
#
# ## What transfer tells
#
# If a metamer of some networks is one for others as well, they ignore the same things. The ensemble removes what is peculiar to its members, and what remains is shared.
#
# ```{glue-table} tab-discussed-transfer
# :name: tab-discussed-transfer
# :class: full-width
# What section 5.4 of the paper claims.
# ```
#
# ## Conclusion
#
# The paper concludes that ensembles make metamers that transfer, convolutional ones the best, and that robust transformers pay for their natural look. In this run:
#
# - ensembles are better recognized than single networks: **{glue:text}`ensembles-transfer`**;
# - convolutional ensembles better than transformers: **{glue:text}`cnns-transfer-best`**;
# - robust transformers less than convolutional ensembles: **{glue:text}`robust-transformers-not-recognized`**;
# - a natural look goes with transfer: **{glue:text}`natural-transfers`**.
#
# A verdict here is one about this run: its networks, its pictures, its budget ({doc}`/book/departures`, {doc}`/book/reproduce`). A claim that does not hold in miniature may hold at the paper's scale, and the other way round. What carries over is the question, the measurement and the program: with the profile **paper** and the paper's networks, the same page gives the verdict that counts, as far as pictures, budget and the readings of what the paper leaves open are those of its authors.
#
# What no such run can say is how *people* see these metamers. The paper leaves that open too, and proposes training on more varied, noisier data as the next step towards networks that ignore what people ignore.
