"""Small tables with known content for the appendices, the thesis part and the claims."""

from metamerlib.models import ZOO

JUDGES = ("alexnet", "vgg19", "resnet18", "densenet121", "squeezenet", "vit_base", "mlp_mixer", "resnet18_robust")


def traits(key):
    """What kind of network a key stands for."""
    entry = ZOO.get("resnet18" if "_seed" in key else key)
    return {"evaluator": key, "family": entry.family, "robust": entry.robust, "random": entry.random}
