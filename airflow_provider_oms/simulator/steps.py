"""The names of the steps in OMS's three vocabularies, their order, descriptions and default durations."""

from __future__ import annotations

PRECHECK = "TRANSFER_PRECHECK"
STRUCT = "STRUCT_TRANSFER"
LOG_PULL = "TRANSFER_INCR_LOG_PULL"
FULL = "FULL_TRANSFER"
INDEX = "INDEX_TRANSFER"
INCR = "INCR_TRANSFER"
FULL_VERIFY = "FULL_VERIFIER"
INCR_VERIFY = "INCR_VERIFIER"
SWITCH = "TRANSFER_APP_SWITCH"
REVERSE = "REVERSE_INCR_TRANSFER"

#: The order of the sample answer of DescribeProjectSteps. INCR_VERIFIER isn't in that sample; its place is a guess.
ORDER = (PRECHECK, STRUCT, LOG_PULL, FULL, INDEX, INCR, FULL_VERIFY, INCR_VERIFY, SWITCH, REVERSE)

#: Steps that run for ever and become MONITORING.
CONTINUOUS = (INCR, INCR_VERIFY, REVERSE)

LEGACY_MIGRATION = {
    PRECHECK: "PRE_CHECK",
    STRUCT: "STRUCT_MIGRATION",
    LOG_PULL: "INCR_LOG_PULL",
    FULL: "FULL_MIGRATION",
    INDEX: "INDEX_MIGRATION",
    INCR: "INCR_SYNC",
    FULL_VERIFY: "FULL_VALIDATION",
    INCR_VERIFY: "INCR_VALIDATION",
    SWITCH: "APP_SWITCH",
    REVERSE: "REVERSE_INCR_SYNC",
}

LEGACY_SYNC = {
    PRECHECK: "PRE_CHECK",
    STRUCT: "STRUCT_SYNC",
    LOG_PULL: "SYNC_INCR_LOG_PULL",
    FULL: "CONNECTOR_FULL_SYNC",
    INCR: "CONNECTOR_INCR_SYNC",
}

DESCRIPTIONS = {
    PRECHECK: "Precheck",
    STRUCT: "Schema migration",
    LOG_PULL: "Pull incremental logs synchronously",
    FULL: "Full migration",
    INDEX: "Index migration",
    INCR: "Incremental synchronization",
    FULL_VERIFY: "Full verification",
    INCR_VERIFY: "Incremental verification",
    SWITCH: "Forward switchover",
    REVERSE: "Reverse incremental synchronization",
}

#: Seconds of simulated time; 20 s in all until the full verification is done. For INCR_TRANSFER and
#: REVERSE_INCR_TRANSFER it is the shortest time before MONITORING.
DURATIONS = {
    PRECHECK: 1.0,
    STRUCT: 2.0,
    LOG_PULL: 1.0,
    FULL: 10.0,
    INDEX: 1.0,
    INCR: 2.0,
    FULL_VERIFY: 3.0,
    INCR_VERIFY: 2.0,
    SWITCH: 0.0,
    REVERSE: 2.0,
}

_CANONICAL = {name: name for name in ORDER}
for _table in (LEGACY_MIGRATION, LEGACY_SYNC):
    _CANONICAL.update({old: new for new, old in _table.items()})


def canonical(name: str) -> str:
    """Return the v2 name of a step given in any of OMS's vocabularies.

    :raises ValueError: for an unknown name.
    """
    try:
        return _CANONICAL[name.upper()]
    except KeyError:
        raise ValueError(f"Unknown step {name!r}; known are {', '.join(ORDER)}") from None


def canonical_or_none(name: object) -> str | None:
    """Return the v2 name of a step, or None for an unknown name."""
    return _CANONICAL.get(name.upper()) if isinstance(name, str) else None


def spelled(name: str, vocabulary: str, project_type: str) -> str:
    """Return a step's name in a vocabulary, ``v2`` or ``legacy``."""
    if vocabulary != "legacy":
        return name
    table = LEGACY_SYNC if project_type == "SYNC" else LEGACY_MIGRATION
    return table.get(name, LEGACY_MIGRATION[name])
