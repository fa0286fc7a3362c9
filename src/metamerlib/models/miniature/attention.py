"""Miniature transformers and the mixer: timm's own classes with few channels, for 64 px images."""

from functools import partial
from itertools import pairwise

from timm.layers import PatchEmbed, nchw_to
from timm.models.mlp_mixer import MlpMixer
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from timm.models.xcit import Xcit
from torch import Tensor, nn

Network = tuple[nn.Module, list[str]]
"""A module without trained weights, and the dotted names of its sequential blocks."""

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


def vision_transformer(classes: int, *, width: int, depth: int, heads: int, **options: object) -> Network:
    """Timm's VisionTransformer on 8 px patches: the embedding and every transformer block."""
    network = VisionTransformer(
        img_size=SIDE,
        patch_size=8,
        num_classes=classes,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        mlp_ratio=3,
        embed_layer=ConvolutionalStem,
        **options,
    )
    return network, ["norm_pre", *(f"blocks.{index}" for index in range(depth))]


vit_base = partial(vision_transformer, width=72, depth=6, heads=4)
deit_small = partial(vision_transformer, width=60, depth=6, heads=4)
vit_robust = partial(vision_transformer, width=64, depth=6, heads=4)


def swin(classes: int) -> Network:
    """Timm's SwinTransformer with three stages and 4x4 windows: the embedding and every transformer block."""
    depths = (2, 4, 2)
    network = SwinTransformer(
        img_size=SIDE,
        patch_size=4,
        num_classes=classes,
        embed_dim=24,
        depths=depths,
        num_heads=(2, 4, 8),
        window_size=4,
        mlp_ratio=3.0,
        drop_path_rate=0.0,
        embed_layer=ConvolutionalStem,
    )
    return network, ["patch_embed", *(f"layers.{s}.blocks.{b}" for s, depth in enumerate(depths) for b in range(depth))]


def xcit(classes: int) -> Network:
    """Timm's XCiT on 8 px patches: the embedding, every cross-covariance block and the class-attention block."""
    depth = 5
    network = Xcit(
        img_size=SIDE,
        patch_size=8,
        num_classes=classes,
        embed_dim=56,
        depth=depth,
        num_heads=4,
        mlp_ratio=3.0,
        cls_attn_layers=1,
        eta=1.0,
    )
    return network, ["pos_drop", *(f"blocks.{index}" for index in range(depth)), "cls_attn_blocks.0"]


def mixer(classes: int) -> Network:
    """Timm's MlpMixer on 8 px patches: the embedding and every mixer block."""
    depth = 6
    network = MlpMixer(
        num_classes=classes, img_size=SIDE, patch_size=8, num_blocks=depth, embed_dim=64, mlp_ratio=(0.5, 3.0)
    )
    network.stem = ConvolutionalStem(SIDE, 8, 3, 64)
    return network, ["stem", *(f"blocks.{index}" for index in range(depth))]
