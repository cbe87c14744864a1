"""What an edition of OMS has and another hasn't, from the versions that OceanBase's documents name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edition:
    """An edition of OMS.

    :param unsupported: actions of others that it doesn't know.
    :param verifies_inside: whether full verification is a step of a migration project.
    :param verify_projects: whether it has projects of type VERIFY.
    """

    unsupported: frozenset[str] = frozenset()
    verifies_inside: bool = True
    verify_projects: bool = True


#: Whatever any edition has.
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
