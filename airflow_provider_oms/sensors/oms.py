"""The gates. Each class says which milestone it waits for; the rules are in the package ``milestones``."""

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

    A step is done when it is FINISHED, at 100 % if OMS gives a percentage. Full verification is also done when it is
    RUNNING at 100 %, where it stays until a person continues. The incremental steps never end; they are done when they
    are MONITORING, which means that they have caught up once. Takes the arguments of
    :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

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
    """Opens when the checkpoint of a running project is close enough to now, by OMS's clock
    (``DescribeProjectProgress``).

    On a source without writes, the lag may grow for ever unless OMS writes heartbeats into it (``tryKeepHb`` of the
    data source). OMS moves checkpoints every 10 to 20 s, so with a ``max_lag`` below 25 s the gate opens only by
    chance. Takes the arguments of :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

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

    It reads ``DescribeProjectProgress``. ``checkpoint="{{ data_interval_end }}"`` lets a daily job wait for complete
    data. The moment at which writes were stopped lets a cut-over wait for the last change. The checkpoint must be later
    than the moment, not equal to it. Takes the arguments of
    :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param checkpoint: a datetime, ISO 8601 text or Unix seconds; a time without a zone is taken in the
        zone of ``[core] default_timezone``, as everywhere in Airflow (templated)
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
    """Opens when full verification is done and every table is consistent; fails if a table isn't, and names it.

    It reads every page of ``ListProjectFullVerifyResult``. From OMS 4.3.1 (Enterprise) on, a separate project verifies:
    name it in ``verification_project``. Takes the arguments of
    :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param verification_project: id or name of the project of type VERIFY that verifies this one; if this project has a
        verification step as well, both must be consistent (templated)
    """

    template_fields: Sequence[str] = (*OmsGateSensor.template_fields, "verification_project")

    def __init__(self, *, verification_project: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.verification_project = verification_project
        self.check_arguments()

    def milestone(self) -> Milestone:
        return FullVerificationMilestone(self.verification_project)


class OmsObjectsSensor(OmsGateSensor):
    """Opens when tables or views are in the project: copied, and merged if they were added while the project ran.

    No change that concerns them may be unfinished (``ListProjectModifyRecords``), they must be in the project's
    configuration (``DescribeProject``), and its full transfer must be done. The gate fails if an addition has failed,
    with OMS's reason, and if the project doesn't have a table and nothing is adding it. Takes the arguments of
    :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param tables: ``["schema.table"]``, text with commas, or ``{"schema": ["table"]}``; the names in the source
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
    """Opens when the project's status is one of the given ones, for example ``["RELEASED", "DELETED"]``.

    It reads ``DescribeProjectProgress``. Takes the arguments of
    :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param target_statuses: statuses in OMS's own words, as a list or as text with commas (templated)
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
    """Opens when a switchover would be safe.

    All steps before incremental sync must be done, incremental sync must be MONITORING and within ``max_lag``, no
    objects may be being added, and full verification must be done and consistent. It reads ``DescribeProjectProgress``,
    ``DescribeProjectSteps`` and ``ListProjectFullVerifyResult``.

    From OMS 4.3.1 (Enterprise) on, a separate project verifies: name it in ``verification_project``, or set
    ``require_verification=False``. When the gate has opened, stop the writes, then wait until that moment is passed
    with :class:`OmsCheckpointReachedSensor`. Takes the
    arguments of :class:`~airflow_provider_oms.sensors.base.OmsGateSensor`, too.

    :param max_lag: seconds or a timedelta that the forward checkpoint may lie behind (templated)
    :param require_verification: with False the gate also opens for a project without verification; if the project has
        one, it must be consistent all the same
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
