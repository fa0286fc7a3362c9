"""CORnet-S, written from its paper (Kubilius et al. 2019, arXiv 1909.06161).

Four areas named after the ventral stream. V1 is a small stem; V2, V4 and IT each run one bottleneck several times
over their own output, with the weights shared over the recurrences and a batch normalisation for each.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class RecurrentArea(nn.Module):
    """One area of CORnet-S: a bottleneck applied `times` times to its own output; the first halves the resolution."""

    def __init__(self, in_channels: int, out_channels: int, times: int, scale: int = 4) -> None:
        super().__init__()
        inner = out_channels * scale
        self.times = times
        self.conv_input = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.skip = nn.Conv2d(out_channels, out_channels, 1, stride=2, bias=False)
        self.norm_skip = nn.BatchNorm2d(out_channels)
        self.conv1 = nn.Conv2d(out_channels, inner, 1, bias=False)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.conv3 = nn.Conv2d(inner, out_channels, 1, bias=False)
        self.norms1 = nn.ModuleList(nn.BatchNorm2d(inner) for _ in range(times))
        self.norms2 = nn.ModuleList(nn.BatchNorm2d(inner) for _ in range(times))
        self.norms3 = nn.ModuleList(nn.BatchNorm2d(out_channels) for _ in range(times))

    def forward(self, images: Tensor) -> Tensor:
        state = self.conv_input(images)
        for time in range(self.times):
            first = time == 0
            shortcut = self.norm_skip(self.skip(state)) if first else state
            hidden = torch.relu(self.norms1[time](self.conv1(state)))
            self.conv2.stride = (2, 2) if first else (1, 1)
            hidden = torch.relu(self.norms2[time](self.conv2(hidden)))
            state = torch.relu(self.norms3[time](self.conv3(hidden)) + shortcut)
        return state


class CORnetS(nn.Module):
    """CORnet-S for normalised RGB images; the defaults are the published network's."""

    def __init__(
        self,
        num_classes: int = 1000,
        channels: Sequence[int] = (64, 128, 256, 512),
        times: Sequence[int] = (2, 4, 2),
        scale: int = 4,
    ) -> None:
        super().__init__()
        v1, v2, v4, it = channels
        self.V1 = nn.Sequential(
            nn.Conv2d(3, v1, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(v1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.Conv2d(v1, v1, 3, padding=1, bias=False),
            nn.BatchNorm2d(v1),
            nn.ReLU(inplace=True),
        )
        self.V2 = RecurrentArea(v1, v2, times[0], scale)
        self.V4 = RecurrentArea(v2, v4, times[1], scale)
        self.IT = RecurrentArea(v4, it, times[2], scale)
        self.decoder = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(it, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        return self.decoder(self.IT(self.V4(self.V2(self.V1(images)))))
