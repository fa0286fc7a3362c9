"""Slow, obvious float64 versions of what the library computes fast. Written from the definitions, never from src."""

import itertools
import math

import numpy as np
import scipy.signal
import torch

# --- evaluation: image metrics -------------------------------------------------------------------------------
# Images are float64 arrays (3, H, W) in [0, 1]. Written from the definitions, one window at a time.


def psnr(image, reference):
    return 10 * math.log10(1 / np.mean((image - reference) ** 2))


def ssim(image, reference, size=11, sigma=1.5):
    offsets = np.arange(size) - size // 2
    weight = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * sigma**2))
    weight /= weight.sum()
    values = []
    for x, y in zip(image, reference, strict=True):
        for i, j in np.ndindex(x.shape[0] - size + 1, x.shape[1] - size + 1):
            a, b = x[i : i + size, j : j + size], y[i : i + size, j : j + size]
            mean_a, mean_b = (weight * a).sum(), (weight * b).sum()
            var_a, var_b = (weight * (a - mean_a) ** 2).sum(), (weight * (b - mean_b) ** 2).sum()
            covariance = (weight * (a - mean_a) * (b - mean_b)).sum()
            luminance = (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
            values.append(luminance * (2 * covariance + 0.03**2) / (var_a + var_b + 0.03**2))
    return np.mean(values)


def vif(image, reference, noise=2.0):
    ratios = []
    for x, y in zip(255 * image, 255 * reference, strict=True):
        seen, there = 0.0, 0.0
        for scale in range(4):
            size = 2 ** (4 - scale) + 1
            offsets = np.arange(size) - size // 2
            window = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * (size / 5) ** 2))
            window /= window.sum()
            if scale:
                x, y = (scipy.signal.correlate2d(z, window, mode="valid")[::2, ::2] for z in (x, y))
            for i, j in np.ndindex(x.shape[0] - size + 1, x.shape[1] - size + 1):
                a, b = x[i : i + size, j : j + size], y[i : i + size, j : j + size]
                da, db = a - (window * a).sum(), b - (window * b).sum()
                var_a, var_b, covariance = (window * da**2).sum(), (window * db**2).sum(), (window * da * db).sum()
                gain = max(covariance / var_b, 0.0) if var_b > 0 else 0.0
                rest = var_a - gain * covariance
                seen += math.log10(1 + gain**2 * var_b / (rest + noise))
                there += math.log10(1 + var_b / noise)
        ratios.append(seen / there)
    return np.mean(ratios)


def rase(image, reference, size=8):
    """In per cent, without torchmetrics' second division by the window's area."""
    height, width = image.shape[1:]
    values = []
    for i, j in np.ndindex(height - size, width - size):
        a, b = image[:, i : i + size, j : j + size], reference[:, i : i + size, j : j + size]
        values.append(100 / b.mean() * math.sqrt(((a - b) ** 2).mean()))
    return np.mean(values)


def scc(image, reference, size=8):
    laplacian = -np.ones((3, 3))
    laplacian[1, 1] = 8
    values = []
    for x, y in zip(image, reference, strict=True):
        a, b = (scipy.signal.convolve2d(z, laplacian, mode="same", boundary="symm") for z in (x, y))
        a, b = (np.pad(z, ((4, 3), (4, 3))) for z in (a, b))
        for i, j in np.ndindex(*x.shape):
            first, second = a[i : i + size, j : j + size].ravel(), b[i : i + size, j : j + size].ravel()
            values.append(np.corrcoef(first, second)[0, 1])
    return np.mean(values)


def total_variation(image):
    total = 0.0
    for channel in image:
        for i, j in np.ndindex(*channel.shape):
            total += abs(channel[i, j] - channel[i - 1, j]) if i else 0.0
            total += abs(channel[i, j] - channel[i, j - 1]) if j else 0.0
    return total


def frechet(first, second):
    """Samples (N, D): Tr (S1 S2)^1/2 = Tr (S1^1/2 S2 S1^1/2)^1/2, whose eigenvalues are real even if S1 is singular."""
    sigma_1, sigma_2 = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    values, vectors = np.linalg.eigh(sigma_1)
    root = vectors @ np.diag(np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ sigma_2 @ root).clip(0)).sum()
    return ((first.mean(0) - second.mean(0)) ** 2).sum() + np.trace(sigma_1 + sigma_2) - 2 * cross


def kernel_distance(first, second):
    """Paired samples (N, D): Gretton et al. 2012, equation 4, term by term."""
    n, d = first.shape
    total = 0.0
    for i, j in itertools.permutations(range(n), 2):
        total += (first[i] @ first[j] / d + 1) ** 3 + (second[i] @ second[j] / d + 1) ** 3
        total -= (first[i] @ second[j] / d + 1) ** 3 + (first[j] @ second[i] / d + 1) ** 3
    return total / (n * (n - 1))


def patch_distance(first, second):
    """Activations (C, H, W) of one layer: squared distance of unit vectors, mean over positions."""
    values = []
    for i, j in np.ndindex(first.shape[1:]):
        a, b = first[:, i, j], second[:, i, j]
        a, b = (v / np.linalg.norm(v) if np.linalg.norm(v) > 0 else v for v in (a, b))
        values.append(((a - b) ** 2).sum())
    return np.mean(values)


# --- evaluation: representations -----------------------------------------------------------------------------


def jensen_shannon(p, q):
    """Distributions that sum to 1, in bits, one point at a time."""
    total = 0.0
    for a, b in zip(p, q, strict=True):
        middle = (a + b) / 2
        total += a * math.log2(a / middle) / 2 if a > 0 else 0.0
        total += b * math.log2(b / middle) / 2 if b > 0 else 0.0
    return total


def mantel(reference, metamer, orders):
    """Correlation of the pairs i < j, and the share of orders (the true one included) that reach it."""

    def correlation(order):
        pairs = list(itertools.combinations(range(len(reference)), 2))
        first = [reference[i, j] for i, j in pairs]
        second = [metamer[order[i], order[j]] for i, j in pairs]
        return np.corrcoef(first, second)[0, 1]

    observed = correlation(range(len(reference)))
    reached = [correlation(order) >= observed - 1e-12 for order in orders]
    return observed, (1 + sum(reached)) / (1 + len(reached))


# --- generation ----------------------------------------------------------------------------------------------
# Algorithm 1 and its parts, one image at a time.


def relative_distance(activations, reference):
    difference = (activations - reference).ravel()
    return math.sqrt(sum(value**2 for value in difference)) / math.sqrt(sum(value**2 for value in reference.ravel()))


def l1_ball_by_rejection(dimensions, count, seed):
    stream = np.random.default_rng(seed)
    kept = []
    while len(kept) < count:
        point = stream.uniform(-1, 1, dimensions)
        if np.abs(point).sum() <= 1:
            kept.append(point)
    return np.array(kept)


def project(image, center, name, epsilon):
    if name == "linf":
        image = np.maximum(np.minimum(image, center + epsilon), center - epsilon)
    elif name == "l2":
        length = math.sqrt(((image - center) ** 2).sum())
        image = image if length <= epsilon else center + (image - center) * epsilon / length
    return np.maximum(np.minimum(image, 1), 0)


def waves(parameter, width, exponent):
    """The image (H, W) of Fourier coefficients (H, W // 2 + 1, 2) times 1/f^α, through a sigmoid; wave by wave."""
    height, columns, _ = parameter.shape
    longest = 1 / max(height, width)

    def scale(row, column):
        vertical, horizontal = min(row, height - row) / height, min(column, width - column) / width
        return (1 / max(math.hypot(vertical, horizontal), longest)) ** exponent

    power = np.mean([scale(row, column) ** 2 for row, column in np.ndindex(height, width)])
    argument = np.zeros((height, width))
    for row, column in np.ndindex(height, columns):
        # The transform of real numbers leaves out the columns that mirror these.
        twice = 1 if column in (0, width / 2) else 2
        real, imaginary = parameter[row, column] * scale(row, column) / math.sqrt(power * height * width)
        for y, x in np.ndindex(height, width):
            angle = 2 * math.pi * (row * y / height + column * x / width)
            argument[y, x] += twice * (real * math.cos(angle) - imaginary * math.sin(angle))
    return 1 / (1 + np.exp(-argument))


def metamer(
    reference, initial, networks, *, repetitions, steps, rate, gradient="normalized", ball=("none", 1.0), joint=False
):
    """The image (3, H, W) that Algorithm 1 makes of `initial`; networks are float64 functions of (1, 3, H, W)."""
    reference, image = torch.as_tensor(reference).double()[None], torch.as_tensor(initial).double()[None]
    targets = [network(reference) for network in networks]
    turns = [range(len(networks))] if joint else [[i] for i in range(len(networks))]
    for repetition in range(repetitions):
        for turn in turns:
            for _ in range(steps):
                image = image.detach().requires_grad_()
                loss = sum((networks[i](image) - targets[i]).norm() / targets[i].norm() for i in turn)
                loss.backward()
                step = image.grad
                if gradient == "normalized":
                    step = step / (step.norm() + 1e-12)
                elif gradient == "sign":
                    step = torch.sign(step)
                moved = (image.detach() - rate(repetition) * step)[0].numpy()
                image = torch.from_numpy(project(moved, np.asarray(initial, dtype=float), *ball))[None]
    return image[0].numpy()
