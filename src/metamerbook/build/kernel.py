"""The kernels in which chapters run: this environment's own, undisturbed by the user's settings, one after the other.

A kernel serves many chapters: each begins with no variables, and finds what the ones before have imported.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

LOG_MARK = "log: "
"""What lines of logging begin with in a chapter's error stream: they tell of the run, not of the result."""

# 2x figures that still know their size on the page; no remark on the kernel's sockets; logging that is told apart
_IPYTHON_CONFIG = f"""\
c.InlineBackend.figure_formats = {{"retina"}}
c.HistoryManager.enabled = False
c.IPKernelApp.log_level = "ERROR"
c.IPKernelApp.exec_lines = [
    "(lambda log: log.lastResort.setFormatter(log.Formatter('{LOG_MARK}%(message)s')))(__import__('logging'))"
]
"""
_BEGIN_ANEW = "get_ipython().reset(new_session=True)"


class ChapterKernelManager(AsyncKernelManager):
    """Ends a kernel by asking it to.

    jupyter_client interrupts every kernel before it asks. A kernel that has just answered its last message, but not
    yet returned from answering, takes the interrupt for an error and says so on the console.
    """

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """End the kernel: by a message, by a signal if it does not heed it within seconds, or at once."""
        if now or not self.owns_kernel:
            await super().shutdown_kernel(now=now, restart=restart)
            return
        self.shutting_down = True
        self.stop_restarter()
        await self.request_shutdown(restart=restart)
        await self.finish_shutdown(restart=restart)
        await self.cleanup_resources(restart=restart)


@contextlib.asynccontextmanager
async def running_kernel(folder: Path, threads: int) -> AsyncIterator[ChapterKernelManager]:
    """Start a kernel whose chapters run in a folder, on so many cores; it is killed where an error ends its use."""
    manager = ChapterKernelManager(kernel_name="python3")
    environment = os.environ | {"METAMERLIB_CORES": str(threads), "OMP_NUM_THREADS": str(threads)}
    await manager.start_kernel(cwd=str(folder), env=environment)
    try:
        yield manager
    except BaseException:
        await manager.shutdown_kernel(now=True)
        raise
    await manager.shutdown_kernel()


async def execute_in(manager: ChapterKernelManager, notebook: NotebookNode) -> None:
    """Execute a notebook in a running kernel; outputs are put into it as far as it comes."""
    client = NotebookClient(notebook, km=manager, record_timing=False)
    try:
        async with client.async_setup_kernel():
            await client.kc.execute_interactive(_BEGIN_ANEW, silent=True, store_history=False)
        await client.async_execute()
    finally:
        if client.kc is not None:
            client.kc.stop_channels()


@contextlib.contextmanager
def chapter_environment() -> Iterator[None]:
    """Set the process environment that chapters run in, for a while.

    Within it the kernel `python3` is the running interpreter's, IPython reads our settings instead of the
    user's, and no exported `MPLBACKEND` keeps figures from being shown.
    """
    with tempfile.TemporaryDirectory(prefix="metamerlib-ipython-") as folder:
        profile = Path(folder, "profile_default")
        profile.mkdir()
        (profile / "ipython_kernel_config.py").write_text(_IPYTHON_CONFIG, encoding="utf8")
        ours = {"IPYTHONDIR": folder, "JUPYTER_PREFER_ENV_PATH": "1", "MPLBACKEND": None, "JUPYTER_PATH": None}
        ours["METAMERLIB_WORKERS"] = os.environ.get("METAMERLIB_WORKERS", "auto")
        ours["METAMERLIB_SCHEDULER"] = os.environ.get("METAMERLIB_SCHEDULER")  # as it was, also where a pool is named
        # A library that ours imports asks for tqdm's widgets, and tqdm warns that there are none.
        ours["PYTHONWARNINGS"] = "ignore:IProgress not found"
        before = {name: os.environ.get(name) for name in ours}
        _set_variables(ours)
        try:
            _require_own_kernel()
            yield
        finally:
            _set_variables(before)


def _set_variables(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _require_own_kernel() -> None:
    """Refuse to run chapters with another environment's packages."""
    specification = KernelSpecManager().get_kernel_spec("python3")
    interpreter = specification.argv[0]
    ours = Path(specification.resource_dir).is_relative_to(sys.prefix)
    # a bare "python" is replaced by the running interpreter when the kernel starts
    same = Path(interpreter).name == interpreter or Path(interpreter).is_relative_to(sys.prefix)
    if not (ours and same):
        raise RuntimeError(
            f"The Jupyter kernel 'python3' ({specification.resource_dir}, started as {interpreter}) is not "
            f"part of the running environment {sys.prefix}. Make one: "
            f"{sys.executable} -m ipykernel install --sys-prefix --name python3"
        )
