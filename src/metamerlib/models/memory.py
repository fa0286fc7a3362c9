"""What is said when memory does not suffice: how many images it was asked for at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_SIGNS = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")


@contextmanager
def naming_batch_size(what: str, batch_size: int) -> Iterator[None]:
    """Say of a lack of memory which batch size led to it, and what to do.

    Parameters
    ----------
    what
        What is computed, as the beginning of the sentence.
    batch_size
        Images at once.

    Yields
    ------
    None
        While it is computed.

    Raises
    ------
    OutOfMemoryError
        Torch's, whichever way the lack shows on the device.
    RuntimeError
        Where the block raises one of another kind.
    MemoryError
        Never; it becomes the first.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if batch_size > 1:
            fix = f"give a smaller batch_size, such as {batch_size // 2}"
        else:
            fix = "images of a smaller size would do"
        raise torch.OutOfMemoryError(
            f"{what} needs more memory than there is with batch_size={batch_size}: {fix} "
            f"({(str(error) or type(error).__name__).splitlines()[0]})."
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Recognise a lack of memory, which torch reports in a way of its own on every device.

    Parameters
    ----------
    error
        Any error.

    Returns
    -------
    bool
        Whether it is one.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)
