"""Miniature transformers and the mixer: timm's own classes with few channels, for 64 px images."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from timm.layers import PatchEmbed, nchw_to
from timm.models.mlp_mixer import MlpMixer
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from timm.models.xcit import Xcit
from torch import Tensor, nn

SIDE = 64
"""Side in pixels of the images that these networks are built for."""


class ConvolutionalStem(PatchEmbed):
    """Patch embedding by overlapping stride-2 convolutions (Xiao et al. 2021; the robust ViT of Singh et al. 2023).

    All the miniatures embed their patches so: with non-overlapping patches they need several times the images.
    """

    def __init__(
        self, img_size: int = SIDE, patch_size: int = 8, in_chans: int = 3, embed_dim: int = 64, **options: object
    ) -> None:
        super().__init__(img_size=img_size, patch_size=patch_size, in_chans=in_chans, embed_dim=embed_dim, **options)
        halvings = patch_size.bit_length() - 1
        widths = [in_chans, *(max(embed_dim >> (halvings - 1 - step), 16) for step in range(halvings))]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.GELU()]
        self.proj = nn.Sequential(*layers, nn.Conv2d(widths[-1], embed_dim, 1))

    def forward(self, images: Tensor) -> Tensor:
        embedded = self.proj(images)
        embedded = embedded.flatten(2).transpose(1, 2) if self.flatten else nchw_to(embedded, self.output_fmt)
        return self.norm(embedded)


def _mixer(num_classes: int) -> nn.Module:
    network = MlpMixer(num_classes, SIDE, patch_size=8, num_blocks=6, embed_dim=64, mlp_ratio=(0.5, 3.0))
    network.stem = ConvolutionalStem()
    return network


_small, _stem = {"img_size": SIDE, "mlp_ratio": 3.0}, {"embed_layer": ConvolutionalStem}
_transformer = partial(VisionTransformer, patch_size=8, depth=6, num_heads=4, **_small, **_stem)
_windows = {"patch_size": 4, "depths": (2, 4, 2), "num_heads": (2, 4, 8), "window_size": 4, "drop_path_rate": 0.0}

BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "vit_base": partial(_transformer, embed_dim=72),
    "vit_base_convstem": partial(_transformer, embed_dim=64),
    "deit_small": partial(_transformer, embed_dim=60),
    "swin_base": partial(SwinTransformer, embed_dim=24, **_windows, **_small, **_stem),
    "xcit_small": partial(Xcit, patch_size=8, embed_dim=56, depth=5, num_heads=4, cls_attn_layers=1, eta=1.0, **_small),
    "mlp_mixer": _mixer,
}
"""By architecture; each takes `num_classes`."""
