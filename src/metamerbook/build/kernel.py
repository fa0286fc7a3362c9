"""The kernels in which chapters run, one after the other, undisturbed by the user's settings; and what comes out."""

import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from metamerlib.system import KEEP_MEMORY

_LOG_MARK = "log: "  # begins lines of logging in a chapter's error stream: they tell of the run, not of the result
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

# 2x figures that still know their size on the page; no remark on the kernel's sockets; logging that is told apart
_IPYTHON_CONFIG = f"""\
c.InlineBackend.figure_formats = {{"retina"}}
c.HistoryManager.enabled = False
c.IPKernelApp.log_level = "ERROR"
c.IPKernelApp.exec_lines = [
    "(lambda log: log.lastResort.setFormatter(log.Formatter('{_LOG_MARK}%(message)s')))(__import__('logging'))"
]
"""
_BEGIN_ANEW = "get_ipython().reset(new_session=True)"  # each chapter finds no variables, but what others imported


@contextlib.contextmanager
def kernel_environment(threads: int) -> Iterator[dict[str, str]]:
    """Give the variables of kernels that use so many cores, and IPython's settings for them.

    No exported `MPLBACKEND` keeps figures from being shown.
    """
    with tempfile.TemporaryDirectory(prefix="metamerlib-ipython-") as folder:
        profile = Path(folder, "profile_default")
        profile.mkdir()
        (profile / "ipython_kernel_config.py").write_text(_IPYTHON_CONFIG, encoding="utf8")
        environment = KEEP_MEMORY | {"METAMERLIB_WORKERS": "auto"} | os.environ
        environment.pop("MPLBACKEND", None)
        for name in ("METAMERLIB_STORE", "METAMERLIB_WEIGHTS"):
            if environment.get(name):  # relative to the caller's folder, which is not that of chapters
                environment[name] = str(Path(environment[name]).expanduser().absolute())
        yield environment | {
            "IPYTHONDIR": folder,
            "METAMERLIB_CORES": str(threads),
            "OMP_NUM_THREADS": str(threads),
            "METAMERLIB_PROGRESS": "0",
            "TQDM_DISABLE": "1",
            # A library that ours imports asks for tqdm's widgets, and tqdm warns that there are none.
            "PYTHONWARNINGS": "ignore:IProgress not found",
        }


@contextlib.asynccontextmanager
async def running_kernel(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[AsyncKernelManager]:
    """Start a kernel of this environment's Python, whose chapters run in a folder."""
    own = KernelSpecManager(kernel_dirs=[])  # not one that the user has installed under the same name
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=own)
    await manager.start_kernel(cwd=str(folder), env=dict(environment))
    try:
        yield manager
    finally:
        await manager.shutdown_kernel(now=True)  # asking it can make it complain on the console


async def execute_in(manager: AsyncKernelManager, notebook: NotebookNode) -> None:
    """Execute a notebook in a running kernel; outputs are put into it as far as it comes."""
    client = NotebookClient(notebook, km=manager, record_timing=False)
    try:
        async with client.async_setup_kernel():
            await client.kc.execute_interactive(_BEGIN_ANEW, silent=True, store_history=False)
        await client.async_execute()
    finally:
        if client.kc is not None:
            client.kc.stop_channels()


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Take out of an executed notebook, in place, what differs between two runs that computed the same.

    Dropped are records of tools, times, logging and addresses of objects; cells are numbered; the cell
    of injected parameters is not shown. Other output to the error stream stays: see `complaints`.
    """
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(display_name="Python 3", language="python", name="python3"),
        language_info=NotebookNode(name="python"),
    )
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number}"
        tags = cell.metadata.get("tags", [])
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k in ("tags", "mystnb")})
        if "injected-parameters" in tags and "remove-cell" not in tags:
            cell.metadata.tags = [*tags, "remove-cell"]
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_normalised_output, cell.outputs) if output]
    return notebook


def complaints(notebook: NotebookNode) -> str:
    """Collect what a normalised chapter wrote to the error stream: warnings, above all."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stderr")


def _normalised_output(output: NotebookNode) -> NotebookNode | None:
    """Return an output without what varies, or None where nothing is left."""
    data = output.get("data", {})
    if data.get("text/plain") == "<IPython.core.display.Markdown object>" and not data.get("text/markdown"):
        return None  # a sentence that has nothing to say in this run
    if output.output_type == "stream":
        if output.name == "stderr":
            lines = output.text.splitlines()
            output.text = "\n".join(line for line in lines if line.strip() and not line.startswith(_LOG_MARK))
        output.text = _ADDRESS.sub("", output.text)
        return output if output.text else None
    for kind in data:
        if kind.endswith("text/plain"):  # a glued value carries its kind behind a prefix
            data[kind] = _ADDRESS.sub("", data[kind])
    return output
