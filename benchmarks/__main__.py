"""Run the benchmarks and write their table.

python -m benchmarks [--quick] [--only NAME] [--output docs/performance.md] [--plot docs/images/performance.svg]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.measuring import Size
from benchmarks.plot import draw
from benchmarks.row import Row, Skipped, markdown
from benchmarks.server import CannedOms

NAMES = (
    "polls",
    "instructions",
    "sharing",
    "stalls",
    "triggerer",
    "imports",
    "latency",
    "fleets",
    "pokes",
    "reports",
    "parsing",
)

#: Benchmarks that take long and are run only if ``--only`` names them.
NAMED = ("limit",)

#: The comments before and after the table in a page of the docs.
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a short run, whose figures mean little")
    parser.add_argument("--only", choices=(*NAMES, *NAMED), action="append", help="only this one")
    parser.add_argument("--output", type=Path, help="put the table into this file, too")
    parser.add_argument("--plot", type=Path, help="draw the ratios into this file (SVG; it needs matplotlib)")
    options = parser.parse_args(arguments)
    if options.plot and find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: it is in the dependency group bench")
    names = options.only or NAMES
    home = throwaway_airflow()
    rows: list[Row | Skipped] = []
    try:
        with CannedOms() as oms:
            for name in names:
                for row in import_module(f"benchmarks.{name}").run(Size(quick=options.quick), oms):
                    rows.append(row)
                    print(f"{name}: " + " | ".join(filter(None, row.cells())), flush=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    command = " ".join(["python -m benchmarks", *(["--quick"] if options.quick else [])])
    table = f"`{command}` on {machine()}:\n\n{markdown(rows)}"
    print(f"\n{table}")
    if options.plot:
        draw(rows, options.plot)
    if options.output:
        options.output.write_text(with_table(options.output.read_text() if options.output.exists() else "", table))
    return 0


def with_table(page: str, table: str) -> str:
    """Return a page with its table replaced; the table alone if the page has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{table}\n{end}{after}" if begin and end else f"{BEGIN}\n{table}\n{END}\n"


def throwaway_airflow() -> Path:
    """Give Airflow a temporary home. This must be called before anything imports Airflow."""
    home = Path(tempfile.mkdtemp(prefix="oms-benchmarks-"))
    for name in [name for name in os.environ if name.startswith("AIRFLOW") or name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__DAGS_FOLDER=str(home / "dags"),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
    )
    (home / "dags").mkdir()
    return home


def machine() -> str:
    """Describe the machine and the versions of Python and of the packages."""

    def of(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "none"

    names = {"Airflow": "apache-airflow", "aiohttp": "aiohttp", "requests": "requests"}
    versions = ", ".join(f"{shown} {of(name)}" for shown, name in names.items())
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


if __name__ == "__main__":
    sys.exit(main())
