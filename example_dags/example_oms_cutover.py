"""Cut over: once it is safe, a person has approved and it is still safe, stop the writes, drain, and switch."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, task
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_1_PLUS

from airflow_provider_oms.operators.oms import OmsAdvanceProjectOperator, OmsFullVerificationReportOperator
from airflow_provider_oms.sensors.oms import (
    OmsCheckpointLagSensor,
    OmsCheckpointReachedSensor,
    OmsCutoverReadySensor,
    OmsStepSensor,
)

log = logging.getLogger(__name__)

PROJECT = "{{ params.project }}"

#: What the person who approves has to know, and how old that information is.
QUESTION = """
The source of project {{ params.project }} ({{ ti.xcom_pull(task_ids='ready')['project'] }}) becomes read-only, then the
application moves to OceanBase.

- Lag: {{ ti.xcom_pull(task_ids='ready')['lag'] }} s
- Verification: {{ ti.xcom_pull(task_ids='verification')['message'] }}
- Status: {{ ti.xcom_pull(task_ids='ready')['status'] }}
- This was the state at {{ ti.xcom_pull(task_ids='ready')['time'] }}; OMS is asked again after the approval.
"""

DOC = """
### A cut-over

`ready` opens when a switchover would be safe, and `verification` fetches the result of the comparison. Then a person
is asked to approve (`approve`). That may take hours, so `still_ready` asks OMS again, and fails if a switchover doesn't
become safe within five minutes. Nothing has been stopped until then. `stop_writes` makes the source read-only and
returns that moment; `drained` opens once everything written before it has arrived. Only then does OMS go on: from the
verification to the switchover (`to_switchover`), and through the switchover (`switch_over`). `way_back` opens when
changes of the new database flow back to the old one, so that you could return to it; then the application moves.

Replace `stop_writes` and `move_application` by your own tasks. Ask the source for the time once it is read-only
(`SELECT UTC_TIMESTAMP()`), because a worker's clock may be behind. `AdvanceProject` needs OMS Enterprise 4.3.1 or
later; without it remove the two tasks: then a person does these steps in the OMS console, and `switched` waits.

On Airflow 3.1 and later `approve` is Airflow's own human-in-the-loop task: answer it under "Required Actions"; a
rejection skips the rest. On older versions the task waits until the Variable `oms_cutover` (Admin, Variables) is
"approve" or "reject", followed by a blank and this run's id, so that an old approval never counts for a new run.
"""

with DAG(
    dag_id="example_oms_cutover",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"project": "shop_cutover"},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    # --8<-- [start:cutover_ready]
    ready = OmsCutoverReadySensor(task_id="ready", project_name=PROJECT, max_lag=25)
    # --8<-- [end:cutover_ready]
    verification = OmsFullVerificationReportOperator(task_id="verification", project_name=PROJECT, max_tables=20)

    if AIRFLOW_V_3_1_PLUS:
        from airflow.providers.standard.operators.hitl import ApprovalOperator

        approve = ApprovalOperator(
            task_id="approve",
            subject=f"Cut over project {PROJECT} to OceanBase?",
            body=QUESTION,
        )
    else:

        @task.sensor(task_id="approve", poke_interval=30, mode="reschedule")
        def wait_for_approval(question: str, run_id: str | None = None) -> bool:
            """Wait until a person has answered for this run in the Variable.

            :raises AirflowSkipException: when the answer is no; what follows is skipped
            """
            from airflow.models import Variable

            answer, _, run = Variable.get("oms_cutover", default_var="").partition(" ")
            if run != run_id or answer not in ("approve", "reject"):
                log.info("%s", question)
                return False
            if answer == "reject":
                raise AirflowSkipException("A person has rejected the cut-over.")
            return True

        approve = wait_for_approval(QUESTION)

    # Hours may have passed: don't stop the writes if the project has failed or fallen behind meanwhile.
    still_ready = OmsCutoverReadySensor(
        task_id="still_ready",
        project_name=PROJECT,
        max_lag=25,
        timeout=timedelta(minutes=5),
    )

    @task
    def stop_writes() -> str:
        """Make the source read-only, and return when that was, by the source's own clock.

        Checkpoints are times of the source's clock. If a worker's clock is behind, its time is before the last write,
        and the gate would open before that write has arrived.
        """
        log.info("Here the source is made read-only.")
        return datetime.now(UTC).isoformat()

    stopped = stop_writes()
    # --8<-- [start:drained]
    drained = OmsCheckpointReachedSensor(
        task_id="drained",
        project_name=PROJECT,
        checkpoint=stopped,
    )
    # --8<-- [end:drained]
    # --8<-- [start:advance]
    to_switchover = OmsAdvanceProjectOperator(
        task_id="to_switchover",
        project_name=PROJECT,
        from_step="FULL_VERIFIER",
    )
    switch_over = OmsAdvanceProjectOperator(
        task_id="switch_over",
        project_name=PROJECT,
        from_step="TRANSFER_APP_SWITCH",
    )
    # --8<-- [end:advance]
    # --8<-- [start:step]
    switched = OmsStepSensor(
        task_id="switched",
        project_name=PROJECT,
        step="TRANSFER_APP_SWITCH",
    )
    # --8<-- [end:step]
    # --8<-- [start:reverse_lag]
    way_back = OmsCheckpointLagSensor(
        task_id="way_back",
        project_name=PROJECT,
        max_lag=25,
        direction="reverse",
    )
    # --8<-- [end:reverse_lag]

    @task
    def move_application() -> None:
        """Let the application use the new database."""
        log.info("Here the application is pointed at OceanBase.")

    ready >> verification >> approve >> still_ready >> stopped >> drained
    drained >> to_switchover >> switch_over >> switched >> way_back >> move_application()
