"""The gates. Each says which milestone it waits for; the rules are in the package ``milestones``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_oms.milestones.kinds import (
    CUTOVER_LAG,
    CheckpointLagMilestone,
    CheckpointReachedMilestone,
    CutoverReadyMilestone,
    FullTransferMilestone,
    FullVerificationMilestone,
    Milestone,
    ObjectsMilestone,
    ProjectStatusMilestone,
    StepMilestone,
)
from airflow_provider_oms.sensors.base import OmsGateSensor
from airflow_provider_oms.tasks.zones import read_moment, zone_note

__all__ = [
    "OmsCheckpointLagSensor",
    "OmsCheckpointReachedSensor",
    "OmsCutoverReadySensor",
    "OmsFullTransferSensor",
    "OmsFullVerificationSensor",
    "OmsGateSensor",
    "OmsObjectsSensor",
    "OmsProjectStatusSensor",
    "OmsStepSensor",
]


class OmsStepSensor(OmsGateSensor):
    """Opens when a step is done, or has started (``DescribeProjectSteps``).

    "Done" is FINISHED, and 100 % if a percentage is given; for full verification also RUNNING at 100 %, where it stays
    until a person continues; for the incremental steps, which never end, MONITORING: caught up once. Takes the
    arguments of :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param step: the step, in any of OMS's vocabularies, for example ``FULL_TRANSFER`` (templated)
    :param until: ``done`` or ``started`` (templated)
    """

    template_fields: Sequence[str] = (*OmsGateSensor.template_fields, "step", "until")

    def __init__(self, *, step: str, until: str = "done", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = step
        self.until = until
        self.check_arguments()

    def milestone(self) -> Milestone:
        return StepMilestone(step=self.step, until=self.until)


class OmsFullTransferSensor(OmsGateSensor):
    """Opens when the full transfer has reached a percentage (``DescribeProjectProgress``).

    Takes the arguments of :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param progress: the percentage (templated)
    """

    template_fields: Sequence[str] = (*OmsGateSensor.template_fields, "progress")

    def __init__(self, *, progress: float | str = 100, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.progress = progress
        self.check_arguments()

    def milestone(self) -> Milestone:
        return FullTransferMilestone(progress=self.progress)  # type: ignore[arg-type]  # it takes text, too


class OmsCheckpointLagSensor(OmsGateSensor):
    """Opens when the checkpoint is close enough to now, by OMS's clock, in a running project.

    On a source without writes, the lag may grow for ever unless OMS writes heartbeats into it (``tryKeepHb`` of the
    data source). OMS moves checkpoints every 10 to 20 s, so with a ``max_lag`` below 25 s it opens only by chance.
    Takes the arguments of :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param max_lag: seconds or a timedelta (templated)
    :param direction: ``forward``, or ``reverse`` after a switchover (templated)
    :param hold_for: seconds or a timedelta for which every poll must have found the lag small enough
    """

    template_fields: Sequence[str] = (*OmsGateSensor.template_fields, "max_lag", "direction")

    def __init__(
        self,
        *,
        max_lag: timedelta | float | str,
        direction: str = "forward",
        hold_for: timedelta | float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_lag = max_lag
        self.direction = direction
        self.hold_for = hold_for
        self.check_arguments()

    def milestone(self) -> Milestone:
        # The milestone reads timedelta and text, too.
        return CheckpointLagMilestone(self.max_lag, self.direction, self.hold_for)  # type: ignore[arg-type]


class OmsCheckpointReachedSensor(OmsGateSensor):
    """Opens when the checkpoint has passed a moment, so that every change up to it has arrived.

    ``checkpoint="{{ data_interval_end }}"`` gates a daily job on complete data; the moment at which writes were stopped
    gates a cut-over. The checkpoint must be strictly later. Takes the arguments of
    :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param checkpoint: a datetime, ISO 8601 text or Unix seconds; a time without a zone is in the zone of
        ``[core] default_timezone``, as Airflow's own are (templated)
    :param direction: ``forward``, or ``reverse`` after a switchover (templated)
    """

    template_fields: Sequence[str] = (*OmsGateSensor.template_fields, "checkpoint", "direction")

    def __init__(self, *, checkpoint: datetime | str | float, direction: str = "forward", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint
        self.direction = direction
        self.check_arguments()

    def milestone(self) -> Milestone:
        return CheckpointReachedMilestone(read_moment("checkpoint", self.checkpoint), self.direction)

    def note(self) -> str | None:
        return zone_note("checkpoint", self.checkpoint)


class OmsFullVerificationSensor(OmsGateSensor):
    """Opens when full verification is done and every table is consistent; fails, naming the tables, when one is not.

    It reads every page of ``ListProjectFullVerifyResult``. From OMS 4.3.1 (Enterprise) on verification is a project of
    its own: name it. Takes the arguments of :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param verification_project: id or name of the project of type VERIFY that verifies this one; a verification that
        this one has counts, too (templated)
    """

    template_fields: Sequence[str] = (*OmsGateSensor.template_fields, "verification_project")

    def __init__(self, *, verification_project: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.verification_project = verification_project
        self.check_arguments()

    def milestone(self) -> Milestone:
        return FullVerificationMilestone(self.verification_project)


class OmsObjectsSensor(OmsGateSensor):
    """Opens when tables or views are in the project: copied, and merged where they were added while it ran.

    Nothing that concerns them may be under way any more (``ListProjectModifyRecords``), and the project's full transfer
    must be done. An addition that has failed fails the gate with OMS's reason; so does a table that the project doesn't
    have and that nothing is adding. Takes the arguments of :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`,
    too.

    :param tables: ``["schema.table"]``, text with commas, or ``{"schema": ["table"]}``; names as in the source
        (templated)
    """

    template_fields: Sequence[str] = (*OmsGateSensor.template_fields, "tables")
    template_fields_renderers = {**OmsGateSensor.template_fields_renderers, "tables": "json"}

    def __init__(self, *, tables: Sequence[str] | Mapping[str, Sequence[str]] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tables = tables
        self.check_arguments()

    def milestone(self) -> Milestone:
        return ObjectsMilestone(self.tables)  # type: ignore[arg-type]  # it takes text and mappings, too


class OmsProjectStatusSensor(OmsGateSensor):
    """Opens when the project's status is one of a few, for example ``["RELEASED", "DELETED"]``.

    Takes the arguments of :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param target_statuses: OMS's own words, a list or text with commas (templated)
    """

    template_fields: Sequence[str] = (*OmsGateSensor.template_fields, "target_statuses")
    template_fields_renderers = {**OmsGateSensor.template_fields_renderers, "target_statuses": "json"}

    def __init__(self, *, target_statuses: Sequence[str] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_statuses = target_statuses
        self.check_arguments()

    def milestone(self) -> Milestone:
        return ProjectStatusMilestone(self.target_statuses)  # type: ignore[arg-type]  # it takes lists and text, too


class OmsCutoverReadySensor(OmsGateSensor):
    """Opens when a switchover would be safe: all steps before incremental sync done, that one monitoring and close, no
    objects being added, and full verification done and consistent.

    From OMS 4.3.1 (Enterprise) on verification is a project of its own: name it, or say that none is required. After
    the gate has opened stop the writes, then wait for that moment with :class:`OmsCheckpointReachedSensor`. Takes the
    arguments of :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param max_lag: seconds or a timedelta that the forward checkpoint may lie behind (templated)
    :param require_verification: False also opens for a project without verification; an existing verification counts
    :param verification_project: id or name of the project of type VERIFY that verifies this one (templated)
    """

    template_fields: Sequence[str] = (*OmsGateSensor.template_fields, "max_lag", "verification_project")

    def __init__(
        self,
        *,
        max_lag: timedelta | float | str = CUTOVER_LAG,
        require_verification: bool = True,
        verification_project: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_lag = max_lag
        self.require_verification = require_verification
        self.verification_project = verification_project
        self.check_arguments()

    def milestone(self) -> Milestone:
        return CutoverReadyMilestone(
            self.max_lag,  # type: ignore[arg-type]  # as above
            self.require_verification,
            self.verification_project,
        )
