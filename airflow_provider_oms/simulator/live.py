"""A project in the running simulator: its description, its history, and the methods that change it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_oms.simulator.clock import Clock
from airflow_provider_oms.simulator.machine import Event, State, apply, check_script, evaluate
from airflow_provider_oms.simulator.model import Failure, Project
from airflow_provider_oms.simulator.modifications import STATUS_OF_PHASE, ModifyRecord

_PHASES = {status: phase for phase, status in STATUS_OF_PHASE.items()}

_MACHINE_STATUSES = ("INIT", "RUNNING", "SUSPEND", "FAILED", "FINISHED", "RELEASING", "RELEASED")


class LiveProject:
    """A project that a simulator holds. Every method may be called from any thread.

    :param project: its description.
    :param clock: the simulated clock.
    :param lock: a lock to share.
    :param number: how many projects the simulator had before; record ids begin with it.
    """

    def __init__(self, project: Project, clock: Clock, lock: threading.RLock | None = None, number: int = 0) -> None:
        check_script(project)
        self.project = project
        self._number = number
        self.clock = clock
        self.created = clock.now()
        self.history: list[Event] = []
        self.config: dict[str, Any] = dict(project.config)
        self._lock = lock or threading.RLock()
        self._cached: tuple[int, float, State] | None = None
        self._begin()

    def _begin(self) -> None:
        given, status = self.project, self.project.status
        if status not in _MACHINE_STATUSES:
            running = status.startswith("RUNNING")
            if running:
                self._add("jump", step=given.step or given.step_names[0], progress=given.step_progress)
            if status in _PHASES:
                self._add("stand_modifying", phase=_PHASES[status])
            else:
                self._add("set", status_override=given.status_override or status)
            return
        if status == "INIT":
            return
        if status in ("FINISHED", "RELEASING", "RELEASED"):
            self._add("jump", step=given.step, progress=given.step_progress)
        else:
            self._add("jump", step=given.step or given.step_names[0], progress=given.step_progress)
        if status == "SUSPEND":
            self._add("pause")
        elif status == "FAILED":
            failure = next((f for f in given.failures if f.step == given.step), None)
            self._add("fail", failure=failure or Failure(step=given.step or given.step_names[0]))
        elif status in ("RELEASING", "RELEASED"):
            if given.step is not None:
                self._add("pause")
            self._add("release")
            if status == "RELEASED":
                self.history = [Event(e.time - given.release_delay, e.kind, e.args) for e in self.history]
                self.created -= given.release_delay

    def _add(self, kind: str, **args: Any) -> State:
        with self._lock:
            event = Event(max(self.clock.now(), self.created), kind, args)
            state = evaluate(self.project, self.created, self.history, event.time)
            apply(state, event)
            self.history.append(event)
            self._cached = None
            return state

    # -- reading ---------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The project's id."""
        return self.project.id

    @property
    def name(self) -> str:
        """The project's name."""
        return self.project.name

    def state(self) -> State:
        """Return the project's current state, which must not be changed."""
        with self._lock:
            now = self.clock.now()
            if self._cached is None or self._cached[:2] != (len(self.history), now):
                state = evaluate(self.project, self.created, self.history, now)
                self._cached = (len(self.history), now, state)
            return self._cached[2]

    def state_at(self, moment: float) -> State:
        """Return the project's state at a moment. A moment before the project was added to the simulator gives its
        first state, and a future one the state of now.

        :param moment: Unix seconds of the simulated clock
        """
        with self._lock:
            moment = min(max(moment, self.created), self.clock.now())
            return evaluate(self.project, self.created, [one for one in self.history if one.time <= moment], moment)

    @property
    def status(self) -> str:
        """The project's status as the API shows it."""
        return self.state().shown_status

    @property
    def current_step(self) -> str:
        """The step that the project is at."""
        return self.state().current_step

    def step_status(self, step: str) -> str:
        """Return the status of a step.

        :param step: its v2 name.
        """
        return self.state().steps[step].status

    def progress(self, step: str) -> int:
        """Return the percentage of a step.

        :param step: its v2 name.
        """
        return self.state().steps[step].progress

    def record_id(self, record: ModifyRecord) -> int:
        """Return the id of a record of ListProjectModifyRecords.

        :param record: one of ``state().modifications.records``.
        """
        return 344_000_000 + self._number * 1000 + record.number

    # -- what the API does; each raises NotAllowed in the wrong state --------------------------------------------------

    def start(self) -> None:
        """StartProject."""
        self._add("start")

    def stop(self) -> None:
        """StopProject: SUSPEND comes ``stop_delay`` seconds later."""
        self._add("stop")

    def resume(self) -> None:
        """ResumeProject, which is also the retry of a failed step."""
        self._add("resume")

    def release(self) -> None:
        """ReleaseProject: RELEASED comes ``release_delay`` seconds later."""
        self._add("release")

    def advance(self) -> str | None:
        """AdvanceProject: go to the next stage, and return the step that runs now."""
        before = self.state().current_step
        after = self._add("advance").current_step
        return after if after != before else None

    def check_delete(self) -> None:
        """Raise NotAllowed unless the project may be deleted now."""
        self._add("delete")

    def configure(self, config: dict[str, Any]) -> None:
        """UpdateProjectConfig: a full replacement, items left out are deleted.

        :param config: the whole configuration, by section, in OMS's own keys.
        """
        with self._lock:
            struct = config.get("structTransferConfig")
            waits = isinstance(struct, dict) and struct.get("autoProcessedToNextStep") is False
            self._add("configure", wait_after_struct=waits)
            self.config = dict(config)

    def reset_incr(self, timestamp: float, reverse: bool = False) -> None:
        """ResetIncrStartTimestamp.

        :param timestamp: where it starts again, Unix seconds.
        :param reverse: the reverse direction instead of the forward one.
        """
        self._add("reset_incr", timestamp=float(timestamp), reverse=bool(reverse))

    def modify(self, databases: list[dict[str, Any]]) -> list[ModifyRecord]:
        """CreateProjectModifyRecords: replace the objects of the project by those of a list.

        :param databases: the whole new list, in OMS's own keys.
        :return: the new records.
        """
        with self._lock:
            before = len(self.state().modifications.records)
            return self._add("modify", databases=databases).modifications.records[before:]

    def cancel_modification(self, number: int) -> None:
        """CancelProjectModifyRecord, of a PENDING record.

        :param number: the record's number within the project.
        """
        self._add("cancel_modification", number=number)

    def stop_modification(self, number: int | None = None) -> None:
        """StopProjectModifyRecords, of a RUNNING or FAILED record.

        :param number: the record's number within the project; the one in progress when not given.
        """
        self._add("stop_modification", number=number)

    def retry_modification(self, number: int | None = None) -> None:
        """RetryProjectModifyRecords, of a FAILED record.

        :param number: the record's number within the project; the one that has failed when not given.
        """
        self._add("retry_modification", number=number)

    # -- what only a test or a person does -----------------------------------------------------------------------------

    def add_objects(self, tables: Mapping[str, Iterable[str]], **plan: Any) -> None:
        """Add tables to the project.

        :param tables: the names of the tables, by schema.
        :param plan: fields of ``Modification`` that replace those of ``Project.modification``.
        """
        self._add("modify", add={schema: list(names) for schema, names in tables.items()}, **plan)

    def remove_objects(self, tables: Mapping[str, Iterable[str]], **plan: Any) -> None:
        """Remove tables from the project.

        :param tables: the names of the tables, by schema.
        :param plan: as in :meth:`add_objects`.
        """
        self._add("modify", remove={schema: list(names) for schema, names in tables.items()}, **plan)

    def fail_modification(self, **why: Any) -> None:
        """Let the addition or removal in progress fail now; the project stays in its phase.

        :param why: ``code``, ``message``, ``proposal``.
        """
        self._add("fail_modification", **why)

    def finish_modification(self) -> None:
        """Finish the addition or removal that is in progress or has failed."""
        self._add("finish_modification")

    def skip_verification(self, marked: bool = True) -> None:
        """Skip the rest of the full verification, as a person can in the console.

        :param marked: whether ``stepInfo`` says so (``skipped: true``, ``validated: false``).
        """
        self._add("skip_verification", marked=marked)

    def reverify(self, stale: str | None = "verdict") -> None:
        """Verify everything again, as a person can in the console.

        :param stale: what a table's row shows until it is verified: its old ``verdict`` (``resultType`` and counts),
            the whole old ``row``, or nothing old (None).
        """
        self._add("reverify", stale=stale)

    def set_table(self, schema: str, table: str, **values: Any) -> None:
        """Change the result of full verification for a table, or add a table.

        :param schema: its schema in the source.
        :param table: its name.
        :param values: the other fields of :class:`Table`.
        """
        self._add("table", schema=schema, table=table, **values)

    def show_progress(self, **values: Any) -> None:
        """Let DescribeProjectProgress show values instead of the simulated ones.

        :param values: by OMS's own keys.
        """
        self._add("show", where="progress", **values)

    def show_row(self, **values: Any) -> None:
        """Let the project's row in ListProjects and DescribeProject show values instead of the simulated ones.

        :param values: by OMS's own keys.
        """
        self._add("show", where="row", **values)

    def show_step(self, step: str, **values: Any) -> None:
        """Let a step's row show values instead of the simulated ones.

        :param step: its name, in any of OMS's vocabularies.
        :param values: by OMS's own keys; ``stepInfo`` and ``extraInfo`` are merged with the simulated ones.
        """
        self._add("show", where=step, **values)

    def show_nothing(self) -> None:
        """Show the simulated values again instead of others."""
        self._add("show_nothing")

    def complete_switchover(self) -> None:
        """Complete the forward switchover as a person does, from a waiting verification or switchover."""
        self._add("switchover")

    def pause(self) -> None:
        """Suspend the project at once."""
        self._add("pause")

    def fail(
        self,
        step: str | None = None,
        code: str | None = "GHANA-MIGRAT000201",
        message: str | None = "Failed to migrate the table.",
        recover_after: float | None = None,
        step_only: bool = False,
        details: list[Any] | None = None,
    ) -> None:
        """Let a step fail now.

        :param step: its name, in any of OMS's vocabularies; the current one when not given.
        :param code: OMS's error code of it.
        :param message: OMS's message.
        :param recover_after: seconds until OMS recovers by itself; without it only ResumeProject helps.
        :param step_only: only the step is FAILED, the project stays RUNNING.
        :param details: the ``errorDetails`` that OMS shows, objects or texts.
        """
        self._add(
            "fail",
            step=step,
            code=code,
            message=message,
            recover_after=recover_after,
            step_only=step_only,
            details=details,
        )

    def recover(self) -> None:
        """Let failed steps recover as if by themselves."""
        self._add("recover")

    def set_lag(self, seconds: float) -> None:
        """Set the lag of the running direction, and sample it now.

        :param seconds: the lag.
        """
        self._add("set", lag=float(seconds))

    def set(self, **values: Any) -> None:
        """Change ``idle_source``, ``steady_lag``, ``catch_up_rate`` or ``status_override`` from now on.

        :param values: these, by name.
        """
        self._add("set", **values)

    def __repr__(self) -> str:
        return f"<LiveProject {self.id} {self.name!r} {self.status}>"
