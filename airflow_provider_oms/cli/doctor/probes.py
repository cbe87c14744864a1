"""Judges each point of the page "What is untested" by the answers of a real OMS.

Every point has a probe, which judges the answers, or a reason why it can't be judged. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import NamedTuple

from airflow_provider_oms.cli.doctor.seen import Seen
from airflow_provider_oms.client.errors import OmsProjectNotFoundError, safe_text
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import DataPoint, DataSource, Metric, ModifyRecord, Step
from airflow_provider_oms.milestones.changes import is_documented_status
from airflow_provider_oms.milestones.steps import StepKind, kind_of


class Outcome(Enum):
    """The result of a point at a real OMS."""

    HOLDS = "holds"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    NO_PROBE = "no probe"


class Finding(NamedTuple):
    """The result of a point.

    :param point: the point
    :param outcome: whether it holds
    :param message: what was observed, or why nothing was
    """

    point: str
    outcome: Outcome
    message: str


class Judged(NamedTuple):
    """The result of a probe."""

    outcome: Outcome
    message: str


class Probe(NamedTuple):
    """A point of the page, and its probe.

    :param point: the point, in the words of the page
    :param judge: the function that judges it, or the reason why there is none
    """

    point: str
    judge: Callable[[Seen], Judged] | str


def holds(told: str) -> Judged:
    """Return the result: this OMS behaves as assumed."""
    return Judged(Outcome.HOLDS, told)


def differs(told: str) -> Judged:
    """Return the result: this OMS behaves differently."""
    return Judged(Outcome.DIFFERS, told)


def undecided(why: str) -> Judged:
    """Return the result: the answers don't show it."""
    return Judged(Outcome.UNKNOWN, why)


def _rights(seen: Seen) -> Judged:
    refused = sorted({reply.action for reply in seen.refused_by_rights()})
    if refused:
        return differs(f"This user may not call {', '.join(refused)}.")
    good = seen.good_actions
    return holds(f"This user may call {', '.join(good)}.") if good else undecided("No action was answered.")


def _status_of_errors(seen: Seen) -> Judged:
    reply = seen.one("unknown project")
    if reply is None or reply.status is None:
        return undecided("There was no answer about a project that doesn't exist.")
    success = reply.envelope.get("success")
    said = f"Asked for a project that doesn't exist, OMS answers HTTP {reply.status} with success {_word(success)}"
    if isinstance(reply.error, OmsProjectNotFoundError):
        return holds(f"{said}, which this provider recognises.")
    if reply.error is None:
        return differs(f"{said}, which this provider takes for a success.")
    return differs(f"{said}, which this provider doesn't recognise.")


def _total(seen: Seen) -> Judged:
    many, one = seen.data("projects"), seen.data("one project")
    totals = [page.total if page else None for page in (many, one)]
    if None in totals:
        return undecided("OMS gives no totalCount of its projects.")
    rows = len(many.rows)
    if rows < 2:
        return undecided("At least two projects are needed.")
    if totals[0] == totals[1] and (totals[0] or 0) >= rows:
        return holds(f"totalCount is the same for pages of 1 and of 10 projects ({totals[0]}): it counts rows.")
    return differs(
        f"totalCount is {totals[1]} for pages of 1 project and {totals[0]} for pages of 10: it counts pages."
    )


def _step_names(steps: Iterable[Step], none: str) -> Judged:
    names = sorted({name for step in steps if (name := value_or_none(step, Step.name))})
    if not names:
        return undecided(none)
    if unknown := [safe_text(name, 60) for name in names if kind_of(name) is None]:
        return differs(f"Steps that this provider doesn't know: {', '.join(unknown)}.")
    return holds(f"Every step has a known name: {', '.join(names)}.")


def _vocabularies(seen: Seen) -> Judged:
    return _step_names(seen.steps, "No steps were seen.")


def _failed_time(seen: Seen) -> Judged:
    now = next((reply.at for reply in seen.replies[::-1] if reply.told_time), None)
    found = [
        (step, at.timestamp())
        for step in seen.steps
        if (at := value_or_none(step.extra, type(step.extra).failed_time)) is not None
    ]
    if now is None or not found:
        return undecided("No step has a failedTime." if not found else "OMS sends no Date header.")
    if ahead := [step for step, at in found if at > now + 60]:
        return differs(f"failedTime of {safe_text(ahead[0].name, 60)} lies in the future, read as UTC.")
    early = [
        step for step, at in found if (began := value_or_none(step, Step.start_time)) and at < began.timestamp() - 60
    ]
    if early:
        return differs(f"failedTime of {safe_text(early[0].name, 60)} lies before its startTime, read as UTC.")
    return undecided(
        "failedTime, read as UTC, is neither in the future nor before the step's start, but that doesn't prove it."
    )


def _sync_steps(seen: Seen) -> Judged:
    return _step_names(seen.steps_of_type("SYNC"), "There is no synchronisation project.")


def _plain_http(seen: Seen) -> Judged:
    reply = seen.one("http on https")
    if reply is None:
        return undecided("The connection doesn't use https with a port.")
    if reply.status is None:
        return holds(f"OMS ends the connection: {reply.error.problem if reply.error else ''}".rstrip(": "))
    if reply.status >= 300:
        return holds(f"OMS answers HTTP {reply.status}, which is an error that says to check the schema.")
    return differs(f"OMS answers HTTP {reply.status} to plain http on its https port.")


def _v3_endpoint(seen: Seen) -> Judged:
    reply = seen.one("3.3 endpoint")
    if seen.api_version == "v3":
        return undecided("The connection itself has api_version v3.")
    if reply is None or reply.status is None:
        return undecided("No project was asked for over that endpoint.")
    if reply.ok:
        return holds("This OMS still serves the endpoints of 3.3; both API generations work.")
    return holds(
        f"This OMS doesn't serve the endpoints of 3.3 any more (HTTP {reply.status}): leave api_version at v2."
    )


def _skipped(seen: Seen) -> Judged:
    infos = [
        step.part("stepInfo")
        for step in seen.steps
        if kind_of(value_or_none(step, Step.name)) is StepKind.FULL_VERIFICATION
    ]
    if not infos:
        return undecided("No project that was seen has a full verification.")
    sent = sorted({key for info in infos for key in info if key.lower() in ("skipped", "validated")})
    if sent:
        return holds(f"OMS sends {', '.join(sent)}.")
    return undecided("No verification has either key; it isn't known whether one was skipped.")


def _verify_steps(seen: Seen) -> Judged:
    steps = [*seen.steps_of_type("VERIFY"), *(seen.data("verify project's steps") or [])]
    judged = _step_names(steps, "There is no project of type VERIFY.")
    if judged.outcome is not Outcome.HOLDS:
        return judged
    result = seen.one("verify project's result")
    if result is None or not result.ok:
        why = result.error.problem if result and result.error else "the request wasn't made"
        return differs(f"{judged.message} But its result isn't listed as in a migration: {why}")
    return holds(f"{judged.message} Its result is listed as in a migration.")


def _records(seen: Seen) -> Judged:
    if seen.unsupported("records"):
        return undecided("This OMS doesn't have ListProjectModifyRecords.")
    records: list[ModifyRecord] = seen.data("records") or []
    words = sorted({status for one in records if (status := value_or_none(one, ModifyRecord.status))})
    if not words:
        return undecided("The project has no records of added or removed objects.")
    if unknown := [safe_text(word, 60) for word in words if not is_documented_status(word)]:
        return differs(f"Statuses that this provider doesn't know: {', '.join(unknown)}.")
    return holds(f"The statuses that were seen are known: {', '.join(words)}.")


def _hosted(seen: Seen) -> Judged:
    if seen.api_version != "alibaba_cloud":
        return undecided("The connection isn't one to Alibaba Cloud.")
    good = seen.good_actions
    if not good:
        return differs("No action was answered.")
    return holds(f"It accepts our signature, and its answers can be read: {', '.join(good)}.")


def _rate_limits(seen: Seen) -> Judged:
    if any(reply.status == 429 for reply in seen.replies):
        return holds("OMS limits requests, with HTTP 429.")
    limits = sorted({name for reply in seen.replies for name in reply.headers if "ratelimit" in name.replace("-", "")})
    if limits:
        return holds(f"OMS gives its limits in {', '.join(safe_text(name, 60) for name in limits)}.")
    return undecided(f"{len(seen.replies)} requests met no limit; more requests would be needed to find one.")


def _source_types(seen: Seen) -> Judged:
    page = seen.data("data sources")
    types = sorted({kind for row in (page.rows if page else []) if (kind := value_or_none(row, DataSource.type))})
    if not types:
        return undecided("No data sources were seen.")
    return undecided(f"Types that were seen: {', '.join(types)}. A person must say which data source each belongs to.")


def _delay(seen: Seen) -> Judged:
    reply = seen.one("metric")
    if reply is None or reply.status is None:
        return undecided("The request wasn't made.")
    if reply.error is not None:
        return undecided(f"OMS refuses: {reply.error.problem} So it has no InfluxDB, or an older version.")
    points = [value for curve in reply.data.metrics for value in _values(curve)]
    if not points:
        return undecided("OMS gives no points: nothing was measured in the last hour, or it has no InfluxDB.")
    lag = next((at.at - point for at, point in seen.checkpoints[::-1]), None)
    if lag is None:
        return undecided(f"DELAY is {points[-1]:g}; there is no lag to compare it with.")
    words = f"DELAY is {points[-1]:g} while the lag is {lag:.0f} s."
    return holds(words) if abs(points[-1] - lag) <= _NEAR else differs(words)


def _values(curve: Metric) -> list[float]:
    values = (value_or_none(point, DataPoint.value) for point in value_or_none(curve, Metric.data_points) or [])
    return [value for value in values if value is not None]


#: Seconds by which a point of DELAY may differ from a lag that was observed some time later.
_NEAR = 60.0

_CHANGES = "Trying it would change something in OMS."

#: The rows of docs/untested.md, in their order.
PROBES = (
    Probe(
        "how OMS refuses a wrong or expired password",
        "Trying it would count as a failed login, and may lock the user out.",
    ),
    Probe("whether a viewer may call every reading action of the API", _rights),
    Probe("HTTP status of errors", _status_of_errors),
    Probe("whether totalCount counts rows or pages", _total),
    Probe("which of OMS's error codes pass by themselves", "This only shows while something in OMS is broken."),
    Probe("which step names mean the same in the three vocabularies", _vocabularies),
    Probe("time zone of failedTime", _failed_time),
    Probe("step names of synchronisation projects in 4.1 and later", _sync_steps),
    Probe("whether AdvanceProject (Enterprise 4.3.1) drives the switchover", _CHANGES),
    Probe("how OMS answers http on its https port", _plain_http),
    Probe("a console page for one project", "The console's pages are built in a browser, after a login."),
    Probe("whether OMS 4.1.1 and later still serve the two 3.3 endpoints", _v3_endpoint),
    Probe(
        "how the checkpoint moves while nobody writes into the source",
        "This command can't see whether somebody writes. How often the checkpoint moves is shown below.",
    ),
    Probe(
        "what a verification that was skipped looks like, and whether OMS 4.x sends skipped and validated",
        _skipped,
    ),
    Probe(
        "the names of the steps in a project of type VERIFY (4.3.1), and whether its result is listed as in a "
        "migration",
        _verify_steps,
    ),
    Probe("whether percentages and checkpoints really leave out objects that are being added", _CHANGES),
    Probe(
        "whether databases of CreateProjectModifyRecords is the whole new list, and takes every item that "
        "DescribeProject shows",
        _CHANGES,
    ),
    Probe("the statuses of a record of added objects in OMS on premises", _records),
    Probe("which types ListDataSource shows for data sources of OceanBase by its proxy and of PolarDB", _source_types),
    Probe("the console's address in Alibaba Cloud, and everything else about that OMS", _hosted),
    Probe(
        "the unit of DELAY in DescribeProjectStepMetric, and what an OMS without InfluxDB answers",
        _delay,
    ),
    Probe(
        "whether rows of ListProjects are as fresh as the answers of the precise calls",
        "A single request can't show it: compare airflow-oms projects with airflow-oms status over an hour.",
    ),
    Probe(
        "what of a name search_key is compared with",
        "It takes projects with certain names: search the console for a part of a name, also in another case.",
    ),
    Probe(
        "whether the topic of a Kafka is a table's mappedName, and databases.name the schema in Oracle, PostgreSQL and "
        "DB2",
        "Only a person who knows the databases can say: compare them with what OpenLineage shows.",
    ),
    Probe(
        "what a port or host looks like that stands for several nodes",
        "It takes a data source with several nodes: see which host and port the console shows.",
    ),
    Probe("rate limits", _rate_limits),
)


def findings(seen: Seen) -> list[Finding]:
    """Judge every point.

    :param seen: the answers
    """
    found = []
    for probe in PROBES:
        judged = Judged(Outcome.NO_PROBE, probe.judge) if isinstance(probe.judge, str) else probe.judge(seen)
        found.append(Finding(probe.point, *judged))
    return found


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else safe_text(value, 40)
