"""OMS's answers in the benchmarks, recorded from the simulator.

They show a project in the middle of its full transfer, so that gates wait, and a list of 150 projects with their steps.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from urllib.request import Request, urlopen

from airflow_provider_oms.simulator import Clock, Project, Simulator

PROJECTS = 150

#: How many tables a described project has, and how many columns each table has.
TABLES, COLUMNS = 100, 10

#: How many projects a page of the list has (the most that OMS allows), and the label that all of them have.
MANY, LABEL = 1000, "wave-7"

#: The largest number of projects that the list of all can be set to.
MOST = 2000


def project_id(number: int) -> str:
    """The id of a listed project."""
    return f"np_{number:04}"


def project_name(number: int) -> str:
    """The name of a listed project."""
    return f"shop_{number:04}"


@cache
def taken() -> dict[str, bytes]:
    """Return the answers by action, and as ``done`` the progress of a project whose full transfer is at 100 %."""
    with Simulator(clock=Clock(speed=0)) as oms:
        for number in range(PROJECTS):
            oms.add_project(
                Project(id=project_id(number), name=project_name(number), durations={"FULL_TRANSFER": 1000})
            )
            oms.project(project_id(number)).start()
        oms.clock.advance(500)
        found = {
            action: _ask(oms, action, id=project_id(0))
            for action in ("DescribeProjectProgress", "DescribeProjectSteps")
        }
        found["DescribeProject"] = _described(_ask(oms, "DescribeProject", id=project_id(0)))
        found["ListProjects"] = _ask(oms, "ListProjects", pageNumber=1, pageSize=PROJECTS)
        for page in (1, 2):
            found[f"ListProjects {page}"] = _ask(oms, "ListProjects", pageNumber=page, pageSize=100)
        found["row"] = _ask(oms, "ListProjects", searchKey=project_id(0), pageNumber=1, pageSize=1)
        found["ListAllLabels"] = json.dumps({"success": True, "data": [{"id": "l_1", "name": LABEL}]}).encode()
        oms.clock.advance(5000)
        found["done"] = _ask(oms, "DescribeProjectProgress", id=project_id(0))
        found["row done"] = _ask(oms, "ListProjects", searchKey=project_id(0), pageNumber=1, pageSize=1)
    return found


def _described(body: bytes) -> bytes:
    """Return an answer of DescribeProject with many tables, whose source and target have names in OpenLineage."""
    answer = json.loads(body)
    columns = [{"columnName": f"c{number}", "mappedName": f"c{number}"} for number in range(COLUMNS)]
    tables = [{"name": f"t{number}", "mappedName": f"t{number}", "columns": columns} for number in range(TABLES)]
    mapping = {"mode": "SPECIFIC", "databases": [{"name": "shop", "mappedName": "shop_ob", "tables": tables}]}
    ends = {end: {"host": "10.0.0.5", "port": 3306} for end in ("sourceConnectInfo", "sinkConnectInfo")}
    answer["data"][0] |= {"transferMapping": mapping, **ends}
    return json.dumps(answer).encode()


def _ask(oms: Simulator, action: str, **payload: object) -> bytes:
    login = b64encode(f"{oms.login}:{oms.password}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    with urlopen(Request(f"{oms.url}/api/v2?Action={action}", json.dumps(payload).encode(), headers)) as answer:
        return answer.read()
