"""The paper's 31 networks as published: how each is built, what it wants, where its weights are."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from timm.models import swin_transformer, xcit
from timm.models import vision_transformer as vit
from torch import nn

from metamerlib.models import imagenet
from metamerlib.models.checkpoints import StateDict, rename
from metamerlib.models.releases import (
    ALEXNET_ROBUST,
    CORNET_S,
    Release,
    meal_release,
    robustbench_release,
    timm_release,
    torchvision_release,
)
from metamerlib.models.robust import vit_base_convstem

SIDE = 224
"""Side in pixels of the images that the networks are made for."""

RAW = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""Mean and standard deviation that leave images in [0, 1] as they are."""

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of ImageNet's pixels."""

HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Mean and standard deviation that map images in [0, 1] to [-1, 1]."""


@dataclass(frozen=True)
class PublishedNetwork:
    """One of the paper's networks as published.

    Attributes
    ----------
    architecture
        Builds the module without weights and names its blocks.
    release
        Names its published weights; None for a network that is only initialised.
    normalisation
        Mean and standard deviation per channel that it wants.
    accuracy
        Share of the validation images of ILSVRC 2012 that it assigns to the right one of the 1000 classes, as
        published with the weights; None where that is not known.
    translate
        Brings the names of the published weights to those of the module.
    """

    architecture: imagenet.Architecture
    release: Callable[[], Release] | None
    normalisation: tuple[tuple[float, float, float], tuple[float, float, float]] = IMAGENET
    accuracy: float | None = None
    translate: Callable[[StateDict, nn.Module], StateDict] | None = None


def _torchvision(
    architecture: imagenet.Architecture, name: str, accuracy: float, **options: object
) -> PublishedNetwork:
    return PublishedNetwork(architecture, partial(torchvision_release, name), accuracy=accuracy, **options)


def _timm(architecture: imagenet.Architecture, name: str, accuracy: float, **options: object) -> PublishedNetwork:
    return PublishedNetwork(architecture, partial(timm_release, name), accuracy=accuracy, **options)


def _drive(
    architecture: imagenet.Architecture, entry: str, drive: str, accuracy: float, **options: object
) -> PublishedNetwork:
    return PublishedNetwork(architecture, partial(robustbench_release, entry, drive), accuracy=accuracy, **options)


def _meal(architecture: imagenet.Architecture, file: str, accuracy: float) -> PublishedNetwork:
    return PublishedNetwork(architecture, partial(meal_release, file), accuracy=accuracy)


_alexnet, _resnet50 = imagenet.alexnet, imagenet.residual("resnet50")
_wide_resnet50 = imagenet.residual("wide_resnet50_2")
_deit_small = imagenet.vision_transformer("deit_small_patch16_224")

# torchvision renames its own file in the same way; the dots date from names that modules may no longer have.
_DENSENET_NAMES = rename((r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.", r"\1\2."))

_CORNET_NAMES = rename(
    (r"^V1\.conv1\.", "V1.0."),
    (r"^V1\.norm1\.", "V1.1."),
    (r"^V1\.conv2\.", "V1.4."),
    (r"^V1\.norm2\.", "V1.5."),
    (r"\.norm([123])_(\d)\.", r".norms\1.\2."),
    (r"^decoder\.linear\.", "decoder.2."),
)

PUBLISHED: dict[str, PublishedNetwork] = {
    "alexnet": _torchvision(_alexnet, "alexnet", 0.56522),
    "alexnet_robust": PublishedNetwork(_alexnet, lambda: ALEXNET_ROBUST),
    "alexnet_random": PublishedNetwork(_alexnet, None),
    "vgg19": _torchvision(imagenet.vgg19, "vgg19", 0.72376),
    "resnet50": _torchvision(_resnet50, "resnet50", 0.76130),
    "resnet50_robust": _drive(_resnet50, "Salman2020Do_R50", "1TmT5oGa1UvVjM3d-XeSj_XmKqBNRUg8r", 0.6402),
    "resnet50_random": PublishedNetwork(_resnet50, None),
    "resnet18": _torchvision(imagenet.residual("resnet18"), "resnet18", 0.69758),
    "resnet18_robust": _drive(
        imagenet.residual("resnet18"), "Salman2020Do_R18", "1OThCOQCOxY6lAgxZxgiK3YuZDD7PPfPx", 0.5292
    ),
    "wide_resnet50": _torchvision(_wide_resnet50, "wide_resnet50_2", 0.78468),
    "wide_resnet50_robust": _drive(_wide_resnet50, "Salman2020Do_50_2", "1OT7xaQYljrTr3vGbM37xK9SPoPJvbSKB", 0.6846),
    "resnext50": _torchvision(imagenet.residual("resnext50_32x4d"), "resnext50_32x4d", 0.77618),
    "convnext_base": _timm(imagenet.convnext_base, "convnext_base.fb_in22k_ft_in1k", 0.85822),
    "convnext_base_robust": _drive(
        imagenet.convnext_base, "Liu2023Comprehensive_ConvNeXt-B", "10-nSm-qUftvfKXHeOAakBQl8rxm-jCbk", 0.7584
    ),
    "deit_small": _timm(_deit_small, "deit_small_patch16_224.fb_in1k", 0.79844),
    "deit_small_robust": PublishedNetwork(
        _deit_small,
        partial(
            robustbench_release,
            "Tian2022Deeper_DeiT-S",
            github="v1.1.1-test/tian2022deeper-deit-s.pth",
            threat="corruptions",
        ),
        accuracy=0.7732,
        translate=vit.checkpoint_filter_fn,
    ),
    "vit_base": _timm(
        imagenet.vision_transformer("vit_base_patch16_224"),
        "vit_base_patch16_224.augreg2_in21k_ft_in1k",
        0.85096,
        normalisation=HALF,
    ),
    "vit_base_robust": _drive(
        vit_base_convstem,
        "Singh2023Revisiting_ViT-B-ConvStem",
        "1-JBbfi_eH3tKMXObvPPHprrZae0RiQGT",
        0.7630,
        normalisation=RAW,
    ),
    "mlp_mixer": _timm(imagenet.mlp_mixer, "mixer_b16_224.goog_in21k_ft_in1k", 0.766, normalisation=HALF),
    "swin_base": _timm(
        imagenet.swin_base,
        "swin_base_patch4_window7_224.ms_in22k_ft_in1k",
        0.85272,
        translate=swin_transformer.checkpoint_filter_fn,
    ),
    "swin_base_robust": _drive(
        imagenet.swin_base,
        "Liu2023Comprehensive_Swin-B",
        "1-4mtxQCkThJUVdS3wvQ6NnmMZuySqR3c",
        0.7534,
        translate=swin_transformer.checkpoint_filter_fn,
    ),
    "xcit_small": _timm(
        imagenet.xcit_small, "xcit_small_12_p16_224.fb_in1k", 0.820, translate=xcit.checkpoint_filter_fn
    ),
    "xcit_small_robust": PublishedNetwork(
        imagenet.xcit_small,
        partial(
            robustbench_release,
            "Debenedetti2022Light_XCiT-S12",
            github="v1.1/debenedetti2022light-xcit-s-imagenet-linf.pth.tar",
        ),
        RAW,
        accuracy=0.7234,
        translate=xcit.checkpoint_filter_fn,
    ),
    "meal_v1_resnet50": _meal(_resnet50, "MEALV1_ResNet50_224.pth", 0.7821),
    "meal_v2_resnet50": _meal(_resnet50, "MEALV2_ResNet50_224.pth", 0.8067),
    "meal_v2_efficientnet_b0": _meal(imagenet.efficientnet_b0, "MEALV2_EfficientNet_B0_224.pth", 0.7829),
    "cornet_s": PublishedNetwork(imagenet.cornet_s, lambda: CORNET_S, accuracy=0.731, translate=_CORNET_NAMES),
    "squeezenet": _torchvision(imagenet.squeezenet, "squeezenet1_0", 0.58092),
    "mobilenet_v2": _torchvision(imagenet.mobilenet_v2, "mobilenet_v2", 0.71878),
    "shufflenet_v2": _torchvision(imagenet.shufflenet_v2, "shufflenet_v2_x1_0", 0.69362),
    "densenet121": _torchvision(imagenet.densenet121, "densenet121", 0.74434, translate=_DENSENET_NAMES),
}
"""The networks by key, in the order of the registry."""

MULTIPLY_ADDS: dict[str, int] = {
    "alexnet": 714_188_480,
    "alexnet_robust": 714_188_480,
    "alexnet_random": 714_188_480,
    "vgg19": 19_632_062_464,
    "resnet50": 4_089_184_256,
    "resnet50_robust": 4_089_184_256,
    "resnet50_random": 4_089_184_256,
    "resnet18": 1_814_073_344,
    "resnet18_robust": 1_814_073_344,
    "wide_resnet50": 11_398_021_120,
    "wide_resnet50_robust": 11_398_021_120,
    "resnext50": 4_230_479_872,
    "convnext_base": 15_354_729_472,
    "convnext_base_robust": 15_354_729_472,
    "deit_small": 4_598_882_304,
    "deit_small_robust": 4_598_882_304,
    "vit_base": 17_563_828_224,
    "vit_base_robust": 17_912_451_072,
    "mlp_mixer": 12_601_767_936,
    "swin_base": 15_430_946_816,
    "swin_base_robust": 15_430_946_816,
    "xcit_small": 4_795_832_832,
    "xcit_small_robust": 4_795_832_832,
    "meal_v1_resnet50": 4_089_184_256,
    "meal_v2_resnet50": 4_089_184_256,
    "meal_v2_efficientnet_b0": 385_814_752,
    "cornet_s": 16_431_747_072,
    "squeezenet": 818_924_576,
    "mobilenet_v2": 300_774_272,
    "shufflenet_v2": 144_907_992,
    "densenet121": 2_834_161_664,
}
"""Multiplications and additions of one forward pass at 224 px, as torch's FlopCounterMode counts them, halved."""
