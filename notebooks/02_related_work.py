# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Related work
#
# Four lines of research meet in ensemble metamers: metamers of single networks, adversarial examples and whether they transfer, ensembles of networks, and measures of image quality. This chapter says what is taken from each. The last of them has a table in the paper, {numref}`tab-1`, and is tried out on a picture.

# %% tags=["parameters"]
profile = "mini"  # smoke, mini, paper, or a file with the same keys
n_per_class = None  # images per category; None: the profile's, here and below
size = None  # side of the images in pixels
root = None  # a folder of photographs in place of the drawings
seed = None  # of the images and of the noise

# %% tags=["hide-input"]
from myst_nb import glue

from metamerbook.ensembles.figures.experimental_setup import table_metrics
from metamerbook.ensembles.figures.related_work import figure_distortions
from metamerbook.ensembles.methodology import featured_image
from metamerbook.ensembles.related_work import distortions
from metamerbook.study import words
from metamerbook.study.published import published
from metamerbook.study.study import Study

study = Study.from_parameters(globals())

# %% [markdown]
# ## Metamers of one network
#
# That a picture can be rebuilt from the activations of a layer is an old way of looking into networks {cite:p}`mahendran2015understanding`. {cite:t}`feather2019metamers,feather2023metamers` made an experiment of it: rebuild from noise, without any prior that would make the result look natural, and ask people what they see. From late layers of ordinary networks they see nothing. The step from there to the *idiosyncrasy* of each network is that other networks see nothing either, and that their answers predict the people's. It is also what permits the present paper, and this book, to do without people: networks judge.
#
# Two more findings are used later. Adversarially trained networks have metamers that people do recognize, more of them and from later layers. And whether a network was trained with labels or without made little difference, which is why the paper's 31 networks are all trained with labels.
#
# ## Small steps inside a ball
#
# An adversarial example is a picture changed so little that nobody would notice, and yet classified differently {cite:p}`szegedy2014intriguing`. One step along the sign of the gradient often suffices {cite:p}`goodfellow2015explaining`; many small steps, each followed by a projection back into the ball of permitted changes, are the standard attack, *projected gradient descent* {cite:p}`madry2018towards`. The search for metamers borrows the loop and turns both of its aims round:
#
# | | adversarial example | metamer |
# |---|---|---|
# | starts from | the picture | noise, or grey |
# | the picture may change | hardly | without limit |
# | the network's answer | must change | must stay, down to the activations of a layer |
#
# Adversarial examples made for one network often fool others, and more often if they were made for several at once {cite:p}`tramer2018ensemble,chen2023adaptive`. That this *transfer* should work for metamers as well is the paper's bet.
#
# ## Many networks at once
#
# Networks trained on one task come to similar answers by different means; averaging them cancels what is peculiar to each {cite:p}`shen2019meal`. Whether convolutional networks and transformers are similar enough inside is less clear: they spread information over their layers in different ways {cite:p}`raghu2021vision`. The sets of networks that are compared ({doc}`04_experimental_setup`) keep the two families apart.
#
# ## Measures of image quality
#
# Recognizability asks whether an object can be told; it does not ask whether the picture looks like one. For that the paper takes nine measures from the work on compression and on generated images.

# %% tags=["remove-cell"]
glue("tab-1", table_metrics(published("table_1")), display=False)

# %% [markdown]
# ```{glue-table} tab-1
# :name: tab-1
# :class: full-width
# The paper's image metrics, in its order, in our words. *Looks at* tells what a metric needs: the metamer alone, the pair of metamer and reference, or all pairs as two sets; *learned* ones use a trained network. *Of a copy* is the value of a metamer that is its reference, pixel by pixel.
#
# Sources: FID {cite:p}`heusel2017gans`, SSIM {cite:p}`wang2004image`, PSNR {cite:p}`huynhthu2012accuracy`, VIF {cite:p}`sheikh2006image`, LPIPS {cite:p}`zhang2018unreasonable`, RASE {cite:p}`wald2002data`, SCC {cite:p}`zhou1998wavelet`, TV {cite:p}`rudin1992nonlinear`, CLIP-IQA {cite:p}`wang2023exploring`. The paper gives a direction only by arrows in its Figure 4; here it follows from the definition.
# ```
#
# ### What they see
#
# None of them was made for metamers. To know what to expect, {numref}`fig-distortions` alters one picture in ways whose effect on a person is plain, and lists what the metrics say that need no trained network.

# %%
position = featured_image(study)
altered = distortions(study.references.images[position])

# %% tags=["remove-cell"]
glue("fig-distortions", figure_distortions(*altered), display=False)
glue("category", study.references.category_names[position], display=False)
glue("side", study.references.size[0], display=False)
glue("profile", words.profile_name(study), display=False)

# %% [markdown]
# ```{glue:figure} fig-distortions
# :name: fig-distortions
# :alt: A picture, and five altered copies of it in a row: moved, blurred, noisy, with inverted colours, and plain grey. Below each, its values by SSIM, PSNR, VIF, RASE, SCC and TV.
#
# One picture altered in known ways: moved by three pixels down and to the right, blurred over 5 × 5 pixels, with added noise (standard deviation 0.1), with inverted colours, and replaced by grey. In red, the worst value of each row. Profile {glue:text}`profile`, the first {glue:text}`category` of the references, {glue:text}`side:d` px; no network is involved.
# ```
#
# Moving a picture by three pixels is hardly visible to a person, and yet costs points in every metric that compares pixel with pixel. Total variation looks at one picture only and likes smooth ones: plain grey, which shows nothing at all, is perfect to it. And none of these metrics knows what the picture shows. A metamer that keeps the object but not its place, or its outline but not its colours, can score badly and be recognized by everyone; so {doc}`recognizability <05_recognizability>` comes first.
#
# ## What differs from the paper
#
# Three of the nine need trained networks, which the paper downloads. Here they ask those networks where their files are at hand, or another one whose name stands beside the number, or they are left out and say why; the profile decides ({doc}`/book/reproduce`). One implementation in common use divides by a window's area twice, others expect another range of values: {ref}`reading 18 <reading-18>` tells how each is scaled.
