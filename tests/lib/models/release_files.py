"""Weight files as their publishers write them, with other names, nests and forms than the modules' own state."""

import hashlib
import json
import pickle
import re
import sys
import types

import numpy as np
import torch
from safetensors.torch import save_file

from metamerlib.models.downloads import LOCK, WeightsCache
from metamerlib.models.published import IMAGENET

TIMM_HUB = ("convnext_base", "deit_small", "vit_base", "mlp_mixer", "swin_base", "xcit_small")
SALMAN = ("resnet50_robust", "resnet18_robust", "wide_resnet50_robust")
LIU = ("convnext_base_robust", "swin_base_robust")


def before(state, *substitutions, prefix=""):
    """Give names back that translations of ours have changed."""
    for pattern, replacement in substitutions:
        state = {re.sub(pattern, replacement, name): value for name, value in state.items()}
    return {prefix + name: value for name, value in state.items()}


def cornet_names(state):
    """Name CORnet-S's tensors as its authors' modules are named."""
    stem = (
        (r"^V1\.0\.", "V1.conv1."),
        (r"^V1\.1\.", "V1.norm1."),
        (r"^V1\.4\.", "V1.conv2."),
        (r"^V1\.5\.", "V1.norm2."),
    )
    rest = (r"\.norms(\d)\.(\d)\.", r".norm\1_\2."), (r"^decoder\.2\.", "decoder.linear.")
    return before(state, *stem, *rest, prefix="module.")


def swin_names(state):
    """Name Swin's tensors as Microsoft and early timm did, and add the constants that were saved then."""
    state = before(state, (r"layers\.(\d)\.downsample", lambda m: f"layers.{int(m[1]) - 1}.downsample"))
    state = before(state, (r"^head\.fc\.", "head."))
    constants = {
        "layers.0.blocks.0.attn.relative_position_index": torch.zeros(49, 49, dtype=torch.int64),
        "layers.0.blocks.1.attn_mask": torch.zeros(64, 49, 49),
    }
    return before(state | constants, prefix="module.")


def xcit_names(state):
    """Name XCiT's tensors as its authors did: positions spelt otherwise, queries, keys and values in one."""
    state = before(state, (r"^pos_embed\.", "pos_embeder."))
    for kind in ("weight", "bias"):
        for block in (0, 1):
            stem = f"cls_attn_blocks.{block}.attn."
            parts = [state.pop(f"{stem}{part}.{kind}") for part in "qkv" if f"{stem}{part}.{kind}" in state]
            if parts:
                state[f"{stem}qkv.{kind}"] = torch.cat(parts)
    return state


def robustness_library(state):
    """Wrap a state as MadryLab's robustness library does: the network twice, normalisations, a training's state."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in IMAGENET)
    constants = {"new_mean": mean, "new_std": std}
    model = before(state, prefix="module.model.")
    model |= before(state, prefix="module.attacker.model.")
    model |= before(constants, prefix="module.preproc.normalizer.")
    model |= before(constants, prefix="module.attacker.preproc.normalizer.")
    return {"model": model, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}, "epoch": 119}


def with_foreign_objects(checkpoint):
    """Add what trainings leave in checkpoints: an object of a package that is not installed, a number of numpy's."""
    module = types.ModuleType("cox_of_old")

    class Parameters:
        def __init__(self):
            self.params = {"lr": 0.1}

    Parameters.__module__, Parameters.__qualname__ = module.__name__, "Parameters"
    module.Parameters = Parameters
    sys.modules[module.__name__] = module
    return checkpoint | {"args": Parameters(), "best": np.float64(0.5)}


def checkpoint_of(key, state):
    """Arrange a network's state as it is published."""
    if key == "densenet121":
        return before(state, (r"(denselayer\d+\.(?:norm|relu|conv))([12])\.", r"\1.\2."))
    if key == "alexnet_robust":
        return with_foreign_objects(robustness_library(state))
    if key == "cornet_s":
        return {"epoch": 43, "state_dict": cornet_names(state)}
    if key.startswith("meal"):
        return before(state, prefix="module.")
    if key in SALMAN:
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in IMAGENET)
        return {"state_dict": before(state, prefix="module.model.") | {"module.mean": mean, "module.std": std}}
    if key == "swin_base_robust":
        return {"state_dict": swin_names(state)}
    if key == "convnext_base_robust":
        return {"state_dict": before(state, prefix="module.")}
    if key == "vit_base_robust":
        return before(state, prefix="module.")
    if key == "xcit_small_robust":
        return {"model": xcit_names(state)}
    if key == "deit_small_robust":
        return {"model": state}
    return state


def write_release(folder, key, state, *, enter=True):
    """Write a network's state as its published file, and enter it into the lock file as if it had been fetched."""
    file = WeightsCache(folder).path(key)
    file.parent.mkdir(parents=True, exist_ok=True)
    if key in TIMM_HUB:
        save_file({name: value.contiguous() for name, value in state.items()}, file)
    else:
        legacy = key in ("cornet_s", "alexnet_robust", "meal_v2_resnet50")  # written before torch 1.6
        torch.save(checkpoint_of(key, state), file, _use_new_zipfile_serialization=not legacy)
        sys.modules.pop("cox_of_old", None)
    if enter:
        content = file.read_bytes()
        row = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "trust": "published", "url": ""}
        (folder / LOCK).write_text(json.dumps({file.name: row}))
    return file


class Malice:
    """Says so in a file if it is unpickled."""

    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return eval, (f"open({str(self.witness)!r}, 'w').close()",)


def write_malicious(file, witness):
    """Write a checkpoint that would run code."""
    torch.save({"state_dict": {}, "args": Malice(witness)}, file, pickle_module=pickle)
