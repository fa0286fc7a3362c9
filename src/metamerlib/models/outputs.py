"""What networks return: the logits in it, and the outputs of each category."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from metamerlib.checks import entries_of, shown, whole_number


def first_tensor(returned: object) -> Tensor | None:
    """Take the logits, or else the first tensor, out of what a forward pass returned."""
    if isinstance(returned, Tensor):
        return returned
    logits = returned.get("logits") if isinstance(returned, Mapping) else getattr(returned, "logits", None)
    if isinstance(logits, Tensor):
        return logits
    entries = returned.values() if isinstance(returned, Mapping) else returned
    if not isinstance(returned, Mapping | Sequence):
        entries = vars(returned).values() if hasattr(returned, "__dict__") else ()
    return next((entry for entry in entries if isinstance(entry, Tensor)), None)


def output_indices(given: object, categories: int) -> list[list[int]]:
    """Validate a list of the module's outputs for each category."""
    outputs = entries_of(given, "outputs_of_category", "lists of output indices")
    outputs = [entries_of(one, "outputs_of_category", "lists of output indices") for one in outputs]
    if len(outputs) != categories or not all(outputs):
        raise ValueError(
            f"outputs_of_category is {shown(given)}: give one list of output indices per category ({categories} of "
            "them), none of them empty."
        )
    return [[whole_number(output, "outputs_of_category") for output in one] for one in outputs]
