"""The differences between the editions of OMS, from the versions that OceanBase's documents name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edition:
    """An edition of OMS.

    :param unsupported: actions of other editions that it doesn't have.
    :param verifies_inside: whether full verification is a step of a migration project.
    :param verify_projects: whether it has projects of type VERIFY.
    """

    unsupported: frozenset[str] = frozenset()
    verifies_inside: bool = True
    verify_projects: bool = True


#: Everything that any edition has.
EVERYTHING = Edition()

EDITIONS = {
    "community-4.2.2": Edition(
        frozenset(
            {
                "AdvanceProject",
                "CancelProjectModifyRecord",
                "CreateKafkaDataSource",
                "CreateOceanBaseODPDataSource",
                "CreatePilarDBDataSource",
                "CreatePolarDBDataSource",
                "CreateProjectModifyRecords",
                "DeleteDataSource",
                "DescribeRegions",
                "GetPreCheckResult",
                "ListProjectModifyRecords",
                "ResetIncrStartTimestamp",
                "RetryProjectModifyRecords",
                "StopProjectModifyRecords",
                "SubmitPreCheck",
                "UpdateProjectConfig",
            }
        ),
        verify_projects=False,
    ),
    "enterprise-4.3.1": Edition(verifies_inside=False),
}
