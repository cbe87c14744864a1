"""The table of cases on the pure functions, with memory and without, and cases that need several polls."""

from __future__ import annotations

import re
from itertools import product

import pytest

from airflow_provider_oms.client.protocol import utc_text
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.verdict import State
from tests.gate_cases import CASES, NOW, Case, Reply, success
from tests.milestones.support import MILESTONES, PROJECT, FakeOms, gate_of, poll_case, poll_once
from tests.rows import each_row


@each_row("case", CASES)
def test_case(case: Case):
    verdict = poll_case(case)
    assert verdict.state == case.expected, verdict.message
    if case.message:
        assert re.search(case.message, verdict.message), verdict.message


@each_row("case", [case for case in CASES if not case.needs_memory])
def test_case_where_nothing_is_remembered(case: Case):
    verdict = poll_case(case, kept=False)
    assert verdict.state == case.expected_without_memory, verdict.message


def test_the_table_covers_every_gate_with_every_verdict():
    assert {(case.sensor, case.expected) for case in CASES} == set(product(MILESTONES, State))


class TestWhatIsSeen:
    """The project's name and the time of the checkpoint are observed in addition to what the milestone observes."""

    PROGRESS = {
        "projectId": PROJECT,
        "status": "RUNNING",
        "enableFullTransfer": True,
        "fullTransferProgress": 50,
        "incrSyncCheckpoint": NOW - 60,
    }

    def seen(self, *, memory=None, progress=PROGRESS, **project):
        def reply(action, payload):
            if action == "ListProjects":
                return Reply(success([{"id": PROJECT, "name": "shop"}] if payload["pageNumber"] == 1 else [], total=1))
            return Reply(success(progress if action == "DescribeProjectProgress" else []))

        return poll_once(gate_of("OmsFullTransferSensor", **project), FakeOms(reply), memory).observed

    def test_a_project_that_was_given_by_name_has_both(self):
        seen = self.seen(project_name="shop")
        assert (seen.project, seen.name) == (PROJECT, "shop")

    def test_of_one_that_was_given_by_id_the_name_is_not_asked_for(self):
        assert self.seen(project_id=PROJECT).name is None

    def test_unless_it_is_known(self):
        assert self.seen(project_id=PROJECT, memory=Memory(projects={"shop": PROJECT, "other": "np_2"})).name == "shop"

    @pytest.mark.parametrize(
        ("checkpoint", "text"),
        [
            (NOW - 60, utc_text(NOW - 60)),
            ((NOW - 60) * 1000, None),
            (0, None),
            (None, None),
            ("1,2", None),
        ],
    )
    def test_the_checkpoint_s_time(self, checkpoint, text):
        seen = self.seen(project_id=PROJECT, progress={**self.PROGRESS, "incrSyncCheckpoint": checkpoint})
        assert seen.checkpoint_time == text
