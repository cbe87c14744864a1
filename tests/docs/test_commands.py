"""Every command on the pages is run by a test or a script, and its options exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

import pytest

from tests.docs.pages import ROOT, blocks, commands, pages

#: Words with which a command inside a sentence begins.
PROGRAMS = r"(?:python3?|airflow|airflow-oms|pip|uvx?|twine|mkdocs)"


@dataclass(frozen=True)
class Way:
    """How a command is run.

    :param command: a pattern for the whole command
    :param by: the test or script that runs it; empty if nothing can
    :param proof: a text in that test or script, which shows that it runs the command
    :param reason: why nothing can run it
    """

    command: str
    by: str = ""
    proof: str = ""
    reason: str = ""


WALK = "scripts/walk.py"

WAYS = (
    # Commands of the tutorial and of the page about testing, which scripts/walk.py runs.
    Way(r"python3 -m venv \.venv-tutorial", WALK, "docs/tutorial.md"),
    Way(r"\. \.venv-tutorial/bin/activate", WALK, "docs/tutorial.md"),
    Way(r"pip install --constraint constraints/airflow-3\.3\.txt \.", WALK, "docs/tutorial.md"),
    Way(r"export AIRFLOW_HOME=~/oms-tutorial", WALK, "docs/tutorial.md"),
    Way(r"export AIRFLOW__CORE__LOAD_EXAMPLES=False", WALK, "docs/tutorial.md"),
    Way(r"mkdir -p ~/oms-tutorial/dags", WALK, "docs/tutorial.md"),
    Way(r"airflow db migrate", WALK, "docs/tutorial.md"),
    Way(r"airflow dags test", WALK, "airflow dags test"),
    Way(r"airflow dags test first_gate", WALK, "docs/tutorial.md"),
    Way(r"deactivate", WALK, "docs/tutorial.md"),
    Way(r"rm -r ~/oms-tutorial \.venv-tutorial", WALK, "docs/tutorial.md"),
    Way(r"pip install pytest", WALK, "docs/testing.md"),
    Way(
        r"pip install \"airflow-provider-oms\[openlineage\]\"",
        reason="the package is on no index yet; the extra is in pyproject.toml",
    ),
    Way(r"\.venv-airflow-3\.3-test-lint/bin/python -m pytest .*", "scripts/test.py", '"pytest"'),
    Way(r"python -m pytest", "tests/docs/test_testing.py", '"-m", "pytest"'),
    # The connection.
    Way(r"export AIRFLOW_CONN_OMS_DEFAULT=.*", "tests/docs/test_connection.py", "AIRFLOW_CONN_OMS_DEFAULT"),
    Way(r"export AIRFLOW__SECRETS__BACKEND(_KWARGS)?=.*", "tests/docs/test_connection.py", "LocalFilesystemBackend"),
    Way(r"airflow connections add oms_default .*", "tests/docs/test_connection.py", '["airflow", "connections"]'),
    Way(r"airflow providers widgets", "tests/test_get_provider_info.py", '"providers", what'),
    Way(r"airflow connections test( oms_default)?", "tests/hooks/test_oms.py", "test_connection"),
    Way(r"airflow providers get airflow-provider-oms", "tests/docs/test_install.py", '"providers", "get"'),
    Way(r"openssl s_client .* > oms-ca\.pem", "tests/docs/test_connection.py", "openssl"),
    # The package's own programs.
    Way(r"airflow-oms( .*)?", "tests/cli/test_process.py", "airflow-oms"),
    Way(r"airflow oms( .*)?", "tests/cli/test_process.py", "airflow"),
    Way(r"python -m airflow_provider_oms\.simulator( .*)?", "tests/simulator/test_main.py", "__main__"),
    # The checkout's.
    Way(r"python3 scripts/demo\.py( .*)?", WALK, "scripts/demo.py"),
    Way(r"python3 scripts/test\.py( .*)?", ".ci/run", "scripts/test.py"),
    Way(r"python3 scripts/walk\.py( .*)?", reason="takes minutes; that it can fail is in tests/docs/test_walk.py"),
    Way(r"python3 scripts/check\.py( --fix)?", "scripts/test.py", "scripts/check.py"),
    Way(r"python3 scripts/constraints\.py( .*)?", reason="asks PyPI for today's versions, which changes with time"),
    Way(r"python3 scripts/new_airflow\.py( .*)?", reason="asks PyPI, and runs the tests of another Airflow"),
    Way(r"grep -rn .* airflow_provider_oms", reason="only looks for a text"),
    Way(r"\.venv-airflow-3\.3-test-lint/bin/python scripts/follow\.py", "tests/test_develop.py", "scripts/follow.py"),
    Way(r"python3 scripts/docs\.py( --serve)?", "scripts/check.py", "scripts/docs.py"),
    Way(r"python3 scripts/screenshots\.py( .*)?", reason="starts two Airflows and a browser, which CI has not"),
    Way(r"python3 scripts/progress_page\.py( .*)?", reason="starts an Airflow and a browser, which CI has not"),
    Way(r"airflow standalone", "demo/standalone.py", '"standalone"'),
    Way(r"python -m benchmarks\.counts( --store)?", "tests/benchmarks/test_counts.py", "benchmarks.counts"),
    Way(r"python -m benchmarks\.variations", "tests/benchmarks/test_benchmarks.py", "variations"),
    Way(r"python -m benchmarks( .*)?", "tests/benchmarks/test_benchmarks.py", "__main__"),
    Way(r"python -m reliability\.upgrade( .*)?", reason="needs two Airflows, each whole; it is run before a release"),
    Way(
        r"python -m reliability\.mutations( .*)?", reason="takes an hour; its parts: tests/reliability/test_mutants.py"
    ),
    Way(
        r"ENV/bin/python -m reliability\.distributed( .*)?",
        reason="takes 20 minutes, with PostgreSQL and Redis; its plan and its judge: tests/reliability",
    ),
    Way(r"python -m reliability\.soak( .*)?", reason="takes minutes; its table: tests/reliability/test_report.py"),
    Way(r"python -m reliability( .*)?", reason="takes 40 minutes; its parts and its judge: tests/reliability"),
    Way(r"python3 scripts/screenshots\.py( .*)?", reason="needs Chromium; it is run by hand before a release"),
    Way(r"python3 scripts/hosting\.py", "scripts/check.py", "scripts/hosting.py"),
    Way(r"python3 scripts/release\.py( --dry-run)?", "tests/packaging/test_release.py", "scripts/release.py"),
    Way(r"\.venv-hosting/bin/pre-commit install", reason="changes the checkout that the tests are run in"),
    # Commands that need more than this machine.
    Way(r"git tag .*|git push .*", reason="publishes a release"),
    Way(
        r"apt-get install postgresql redis-server", reason="changes the machine; what starts them looks for them first"
    ),
    Way(r"pip install .*airflow-provider-oms", reason="the package is not on PyPI yet, and the page says so"),
    Way(r"pip install \.", WALK, "docs/tutorial.md"),
    Way(r"pip wheel --no-deps --wheel-dir dist \.", "tests/packaging/conftest.py", '"--wheel"'),
    Way(r"docker (build|push) .*", reason="needs a Docker engine; the file is read in tests/docs/test_install.py"),
    Way(r"(kubectl|helm) .*", reason="needs a Kubernetes cluster; the values are read in tests/docs/test_install.py"),
    Way(r"uv pip compile .*", reason="asks PyPI for today's versions, which changes with time"),
    Way(r"uvx pip-audit .*", reason="asks a database on the internet"),
)


@cache
def all_commands() -> tuple[str, ...]:
    """Return every command of every page, in a block of shell or in a sentence."""
    found = {}
    for page in pages():
        for block in blocks(page):
            if block.language in ("sh", "bash", "shell", "console"):
                for command in commands(block.text):
                    found[command.split(" || ")[0].strip()] = None
            elif block.language == "yaml" or block.title.endswith(".sh"):
                for command in re.findall(r"airflow-oms .*?(?= [|;>]|$)", block.text, re.MULTILINE):
                    found[command] = None
        for command in re.findall(rf"(?<!`)`({PROGRAMS} [^`\n]+)`(?!`)", page.read_text()):
            if "..." not in command:
                found[command] = None
    return tuple(found)


def ways(command: str) -> list[Way]:
    """Return how a command is run."""
    return [way for way in WAYS if re.fullmatch(way.command, command, re.DOTALL)]


@pytest.mark.parametrize("command", all_commands())
def test_somebody_runs_it(command):
    assert ways(command), "Add the command to the table above, with the test or the script that runs it."


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.command)
def test_the_table_holds_nothing_stale(way):
    assert any(way in ways(command) for command in all_commands())
    assert bool(way.by) != bool(way.reason)
    assert way.proof in ((ROOT / way.by).read_text() if way.by else "")


#: Programs of others, whose options aren't checked.
FOREIGN = ("docker ", "helm ", "kubectl ", "openssl ", "pip ", "uv")

HELP = (
    (r"python3 (scripts/demo\.py)", [["scripts/demo.py"], ["-m", "demo"]]),
    (r"python3 (scripts/\w+\.py)", [["{0}"]]),
    (r"(?:(?:\.venv[\w.-]+|ENV)/bin/)?python -m ([\w.]+)", [["-m", "{0}"]]),
)


@cache
def help_of(*tool: str) -> str:
    done = subprocess.run([sys.executable, *tool, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def own(command: str) -> bool:
    return command.startswith(("airflow-oms ", "airflow oms "))


@pytest.mark.parametrize("command", [one for one in all_commands() if " --" in one and not own(one)])
def test_its_options_exist(command):
    for pattern, tools in HELP:
        if match := re.match(pattern, command):
            said = " ".join(help_of(*(part.format(*match.groups()) for part in tool)) for tool in tools)
            for option in re.findall(r"(?<= )--[a-z-]+", command):
                assert re.search(rf"(?<![\w-]){option}(?![\w-])", said), option
            return
    assert command.startswith(("export ", "airflow connections ", *FOREIGN)), "HELP has no such program"


@pytest.mark.parametrize("command", [one for one in all_commands() if own(one)])
def test_the_command_line_understands_it(command):
    from airflow_provider_oms.cli.main import parser

    words = shlex.split(command.split(" | ")[0].split(" > ")[0])
    arguments = words[1:] if words[0] == "airflow-oms" else words[2:]
    complete = [*arguments, "np_1"] if arguments in (["wait"], ["watch"], ["status"], ["verify"]) else arguments
    assert parser().parse_args(complete).command == arguments[0]


OWN_TOOLS = (
    ("-m", "demo"),
    ("-m", "pytest"),
    ("-m", "airflow_provider_oms.simulator"),
    ("-m", "benchmarks"),
    ("-m", "benchmarks.counts"),
    ("-m", "reliability"),
    ("-m", "reliability.distributed"),
    ("-m", "reliability.soak"),
    ("-m", "reliability.upgrade"),
    ("-m", "reliability.mutations"),
    *(("-m", "airflow_provider_oms.cli.main", name) for name in ("projects", "status", "watch", "wait", "verify")),
)


def test_options_within_sentences_exist():
    known = {option for tool in OWN_TOOLS for option in re.findall(r"(?<![\w-])--[a-z-]+", help_of(*tool))}
    for script in (ROOT / "scripts").glob("*.py"):  # some of them can't be started here
        known |= set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', script.read_text()))
    for page in pages():
        sentences = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        assert set(re.findall(r"(?<=`)(--[a-z-]+)(?=[` ])", sentences)) - known == set(), page


def test_the_simulators_options_are_all_explained():
    table = (ROOT / "docs" / "simulator.md").read_text().split("## In your own tests")[0]
    explained = set(re.findall(r"`(--[a-z]+)", table))
    assert explained == set(re.findall(r"(?<![\w-])--[a-z]+", help_of("-m", "airflow_provider_oms.simulator"))) - {
        "--help"
    }
