"""The paper's model zoo and model sets as tables (Tables A1 and 2), and where each network comes from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ZooEntry:
    """One of the paper's networks.

    Parameters
    ----------
    key
        Its name in this library.
    table_name
        Its name in the paper's Table A1 (or B2).
    family
        "cnn", "transformer" or "mlp".
    robust
        Whether it was trained for robustness.
    parameters
        Parameters of the paper's network.
    source
        Where the paper's network comes from.
    entry
        Its name there.
    trained_on
        The paper network's training data.
    """

    key: str
    table_name: str
    family: str
    robust: bool
    parameters: int
    source: str
    entry: str
    trained_on: str

    @property
    def random(self) -> bool:
        """Whether the network is only initialised."""
        return self.trained_on == "none"


_LINF4 = "ImageNet + Linf(4/255)"

ZOO: dict[str, ZooEntry] = {
    entry.key: entry
    for entry in (
        ZooEntry("alexnet", "AlexNet", "cnn", False, 61_100_840, "torchvision", "alexnet", "ImageNet"),
        ZooEntry(
            "alexnet_robust",
            "AlexNet Robust",
            "cnn",
            True,
            61_100_840,
            "Feather et al. 2023",
            "alexnet_linf_8_robust",
            "ImageNet + Linf(8/255)",
        ),
        ZooEntry("alexnet_random", "AlexNet Random", "cnn", False, 61_100_840, "torchvision", "alexnet", "none"),
        ZooEntry("vgg19", "VGG-19", "cnn", False, 143_667_240, "torchvision", "vgg19", "ImageNet"),
        ZooEntry("resnet50", "ResNet-50", "cnn", False, 25_557_032, "torchvision", "resnet50", "ImageNet"),
        ZooEntry(
            "resnet50_robust", "ResNet-50 Robust", "cnn", True, 25_557_032, "robustbench", "Salman2020Do_R50", _LINF4
        ),
        ZooEntry("resnet50_random", "ResNet-50 Random", "cnn", False, 25_557_032, "torchvision", "resnet50", "none"),
        ZooEntry("resnet18", "ResNet-18", "cnn", False, 11_689_512, "torchvision", "resnet18", "ImageNet"),
        ZooEntry(
            "resnet18_robust", "ResNet-18 Robust", "cnn", True, 11_689_512, "robustbench", "Salman2020Do_R18", _LINF4
        ),
        ZooEntry(
            "wide_resnet50", "Wide ResNet-50", "cnn", False, 68_883_240, "torchvision", "wide_resnet50_2", "ImageNet"
        ),
        ZooEntry(
            "wide_resnet50_robust",
            "Wide ResNet-50 Robust",
            "cnn",
            True,
            68_883_240,
            "robustbench",
            "Salman2020Do_50_2",
            _LINF4,
        ),
        ZooEntry("resnext50", "ResNext-50", "cnn", False, 25_028_904, "torchvision", "resnext50_32x4d", "ImageNet"),
        ZooEntry("convnext_base", "ConvNext-Base", "cnn", False, 88_591_464, "timm", "convnext_base", "ImageNet"),
        ZooEntry(
            "convnext_base_robust",
            "ConvNext-Base Robust",
            "cnn",
            True,
            88_591_464,
            "robustbench",
            "Liu2023Comprehensive_ConvNeXt-B",
            _LINF4,
        ),
        ZooEntry(
            "deit_small", "Deit-Small", "transformer", False, 22_050_664, "timm", "deit_small_patch16_224", "ImageNet"
        ),
        ZooEntry(
            "deit_small_robust",
            "Deit-Small Robust",
            "transformer",
            True,
            22_050_664,
            "robustbench",
            "Tian2022Deeper_DeiT-S",
            "ImageNet + corruptions",
        ),
        ZooEntry("vit_base", "ViT-Base", "transformer", False, 86_567_656, "timm", "vit_base_patch16_224", "ImageNet"),
        ZooEntry(
            "vit_base_robust",
            "Vit-Base (ConvStem) Robust",
            "transformer",
            True,
            87_147_112,
            "robustbench",
            "Singh2023Revisiting_ViT-B-ConvStem",
            _LINF4,
        ),
        ZooEntry("mlp_mixer", "MLP-Mixer", "mlp", False, 59_880_472, "timm", "mixer_b16_224", "ImageNet"),
        ZooEntry(
            "swin_base",
            "Swin-Base",
            "transformer",
            False,
            87_768_224,
            "timm",
            "swin_base_patch4_window7_224",
            "ImageNet",
        ),
        ZooEntry(
            "swin_base_robust",
            "Swin-Base Robust",
            "transformer",
            True,
            87_768_224,
            "robustbench",
            "Liu2023Comprehensive_Swin-B",
            _LINF4,
        ),
        ZooEntry(
            "xcit_small", "XCiT-Small", "transformer", False, 26_253_304, "timm", "xcit_small_12_p16_224", "ImageNet"
        ),
        ZooEntry(
            "xcit_small_robust",
            "XCiT-Small Robust",
            "transformer",
            True,
            26_253_304,
            "robustbench",
            "Debenedetti2022Light_XCiT-S12",
            _LINF4,
        ),
        ZooEntry(
            "meal_v1_resnet50",
            "MealV1 (ResNet50)",
            "cnn",
            False,
            25_557_032,
            "MEAL release",
            "mealv1_resnet50",
            "distilled from ResNet50 + VGG19",
        ),
        ZooEntry(
            "meal_v2_resnet50",
            "MealV2 (ResNeSt50)",
            "cnn",
            False,
            25_557_032,
            "MEAL V2 release",
            "mealv2_resnest50",
            "distilled from SENet154 + ResNet152",
        ),
        ZooEntry(
            "meal_v2_efficientnet_b0",
            "MealV2 (EfficientNet)",
            "cnn",
            False,
            5_288_548,
            "MEAL V2 release",
            "mealv2_efficientnet_b0",
            "distilled from SENet154 + ResNet152",
        ),
        ZooEntry("cornet_s", "CorNet-S", "cnn", False, 53_416_616, "CORnet release", "cornet_s", "ImageNet"),
        ZooEntry("squeezenet", "SqueezeNet", "cnn", False, 1_248_424, "torchvision", "squeezenet1_0", "ImageNet"),
        ZooEntry("mobilenet_v2", "MobileNetV2", "cnn", False, 3_504_872, "torchvision", "mobilenet_v2", "ImageNet"),
        ZooEntry(
            "shufflenet_v2", "ShuffleNetV2", "cnn", False, 2_278_604, "torchvision", "shufflenet_v2_x1_0", "ImageNet"
        ),
        ZooEntry("densenet121", "DenseNet", "cnn", False, 7_978_856, "torchvision", "densenet121", "ImageNet"),
    )
}
"""The 31 networks of Tables A1 and B2, by key."""

EXTRA_INSTANCES = ("resnet18_seed1", "resnet18_seed2")
"""Further trainings of ResNet-18, for the transfer between instances; not among the paper's evaluators."""

MODEL_SETS: dict[str, tuple[str, ...]] = {
    "Single CNN": ("vgg19",),
    "Single Transformer": ("vit_base",),
    "CNN": ("convnext_base", "alexnet", "resnet50", "resnet18"),
    "Robust CNNs": ("convnext_base_robust", "alexnet_robust", "resnet18_robust"),
    "Transformers": ("deit_small", "vit_base", "swin_base", "xcit_small"),
    "Robust Transformers": ("deit_small_robust", "vit_base_robust", "swin_base_robust", "xcit_small_robust"),
}
"""The paper's model sets (Table 2), by the paper's names."""
