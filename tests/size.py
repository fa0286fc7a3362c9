"""How large the house is: code lines by package and folder, files, and import circles (`make size`)."""

from collections import Counter
from pathlib import Path

import grimp
import networkx as nx
import pandas as pd
from radon.raw import analyze

SRC = Path(__file__).parents[1] / "src"
PACKAGES = ("metamerlib", "metamerbook")


def modules():
    """Return one row per module: its path, folder, lines of code (no docstrings, comments, blanks), and all lines."""
    rows = []
    for path in sorted(SRC.rglob("*.py")):
        counts = analyze(path.read_text("utf8"))
        place = path.relative_to(SRC)
        rows.append((place.as_posix(), place.parent.as_posix(), place.parts[0], counts.sloc, counts.loc))
    return pd.DataFrame(rows, columns=["path", "folder", "package", "code", "lines"])


def chapters(table):
    """Return the code lines of each chapter: its module and its figures'."""
    of_papers = table[table["path"].str.match(r"metamerbook/\w+/(figures/)?\w+\.py$")]
    of_papers = of_papers[~of_papers["folder"].isin(["metamerbook/engine", "metamerbook/study", "metamerbook/plots"])]
    of_papers = of_papers[~of_papers["path"].str.contains(r"__init__|/build/|/cli/")]
    return of_papers.groupby(of_papers["path"].map(lambda path: Path(path).stem))["code"].sum()


def circles():
    """Return the groups of modules that import each other, directly or through others."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    arrows = [(one, other) for one in graph.modules for other in graph.find_modules_directly_imported_by(one)]
    return [sorted(group) for group in nx.strongly_connected_components(nx.DiGraph(arrows)) if len(group) > 1]


def main():
    """Print the sizes."""
    table = modules()
    by_folder = table.groupby("folder").agg(files=("path", "size"), code=("code", "sum"), lines=("lines", "sum"))
    by_package = table.groupby("package").agg(files=("path", "size"), code=("code", "sum"), lines=("lines", "sum"))
    by_package.loc["src"] = by_package.sum()
    longest = table.nlargest(5, "lines")
    print(by_folder.to_string(), by_package.to_string(), chapters(table).to_string(), sep="\n\n")
    print(f"\nlongest modules: {dict(zip(longest['path'], longest['lines'], strict=True))}")
    print(f"largest folders: {dict(Counter(table['folder']).most_common(3))}")
    print(f"import circles: {circles() or 'none'}")


if __name__ == "__main__":
    main()
