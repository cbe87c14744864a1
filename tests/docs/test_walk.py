"""scripts/walk.py notices a command that fails, an output that differs, and a page that was changed."""

from __future__ import annotations

import os

import pytest

from tests.docs.pages import Block
from walk import DoesNotHoldError, Terminal, Walk


@pytest.fixture
def terminal(tmp_path):
    terminal = Terminal("1", tmp_path, {"PATH": os.environ["PATH"]})
    yield terminal
    terminal.stop()


def test_a_terminal_remembers(terminal, tmp_path):
    terminal.run("mkdir folder && cd folder")
    terminal.run("export SAID='two\nlines'")
    assert terminal.run('pwd; echo "$SAID"').splitlines() == [str(tmp_path / "folder"), "two", "lines"]


def test_nothing_waits_for_a_person_to_type(terminal):
    assert terminal.run("cat") == ""


def test_a_command_that_fails_ends_the_walk(terminal):
    with pytest.raises(DoesNotHoldError, match=r"(?s)ended with 3:.*it is broken"):
        terminal.run("sh -c 'echo it is broken; exit 3'")


def test_a_program_that_continues_is_left_and_stopped(terminal):
    assert "ready" in terminal.run("echo ready; sleep 600", until="ready")
    terminal.stop()
    assert terminal.ended


@pytest.mark.parametrize(("shown", "holds"), [("Reached. It is … %.", True), ("Reached. It was … %.", False)])
def test_output_that_does_not_come_ends_the_walk(shown, holds):
    walk = object.__new__(Walk)
    walk.said = "12:00 INFO Reached. It is 100 %. [status RUNNING]\n"
    block = Block("page.md", "text", "output", shown)
    if holds:
        walk.do(block)
    else:
        with pytest.raises(DoesNotHoldError, match=r"page\.md shows 'Reached"):
            walk.do(block)
