"""An OMS in a separate process that sends prepared JSON as fast as possible, and counts its requests.

It can be set to answer slowly, to have many projects, and to report the milestone as reached.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

#: How many rows a page of the list of many projects has.
ROWS = 150

#: The paths at which ``DescribeProjectProgress`` is answered without an action, with the status 200 and with 404.
JSON, MISSING = "/json", "/missing"


class CannedOms:
    """The server's process; as a context manager it ends with the block."""

    def __enter__(self) -> Self:
        from benchmarks.answers import taken

        answers = {name: base64.b64encode(body).decode() for name, body in taken().items()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server"],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(answers) + "\n")
        self._process.stdin.flush()
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        # Airflow reads the connections from these variables, also in processes that it starts.
        fields = {
            "host": "127.0.0.1",
            "port": self.port,
            "schema": "http",
            "login": "viewer",
            "password": "not-a-secret",
        }
        os.environ["AIRFLOW_CONN_OMS_DEFAULT"] = json.dumps({"conn_type": "oms", **fields})
        os.environ["AIRFLOW_CONN_HTTP_DEFAULT"] = json.dumps({"conn_type": "http", **fields})
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def configure(self, **settings: Any) -> dict[str, Any]:
        """Set the server's behaviour and reset its counts; return the previous counts.

        :param delay: seconds before every answer
        :param many: how many projects the list of all has
        :param reached: True if the full transfer of all projects is done; or the id of the only one where it is
        """
        return configure(self.url, **settings)


def configure(url: str, **settings: Any) -> dict[str, Any]:
    """Do what :meth:`CannedOms.configure` does, from any process.

    :param url: the server's address
    """
    with urlopen(f"{url}/configure?{json.dumps(settings).encode().hex()}", timeout=30) as answer:
        counted: dict[str, Any] = json.load(answer)
    return counted


class _State:
    def __init__(self) -> None:
        self.delay = 0.0
        self.many = 0
        self.reached: bool | str = False
        self.asked: Counter[str] = Counter()
        self.reached_at: dict[str, float] = {}


def _serve() -> None:
    from aiohttp import web

    from benchmarks.answers import MANY, MOST, project_id, project_name

    answers = {name: base64.b64decode(body) for name, body in json.loads(sys.stdin.readline()).items()}
    progress = answers["DescribeProjectProgress"]
    taken_of = json.loads(progress)["data"]["projectId"].encode()
    state = _State()
    state.many = MANY

    def many(row: str) -> list[str]:
        """Return the rows of many projects, all copied from one."""
        one = json.dumps(json.loads(answers[row])["data"][0])
        return [
            one.replace(project_id(0), project_id(n)).replace(project_name(0), project_name(n)) for n in range(MOST)
        ]

    under_way, done = many("row"), many("row done")
    head = json.dumps({**json.loads(answers["row"]), "totalCount": 0, "data": []})

    @lru_cache(maxsize=32)
    def page(number: int, reached: bool | str, many: int) -> bytes:
        of_page = range(ROWS * (number - 1), min(ROWS * number, many))
        rows = [(done if reached in (True, project_id(one)) else under_way)[one] for one in of_page]
        total = head.replace('"totalCount": 0', f'"totalCount": {many}')
        return total.replace('"data": []', f'"data": [{", ".join(rows)}]').encode()

    def listed(number: int) -> bytes:
        state.asked[f"ListProjects {number}"] += 1
        for one in range(ROWS * (number - 1), min(ROWS * number, state.many)) if state.reached else ():
            if state.reached in (True, project_id(one)):
                state.reached_at.setdefault(project_id(one), time.monotonic())
        return page(number, state.reached, state.many)

    def answer(body: bytes, status: int = 200) -> web.Response:
        return web.Response(body=body, status=status, content_type="application/json")

    async def handle(request: Any) -> web.Response:
        body = await request.read()
        if request.path == "/configure":
            counted = {"asked": state.asked, "reached_at": state.reached_at}
            state.asked, state.reached_at = Counter(), {}
            vars(state).update(json.loads(bytes.fromhex(request.query_string)))
            return answer(json.dumps(counted).encode())
        if state.delay:
            await asyncio.sleep(state.delay)
        if request.path != "/api/v2":
            state.asked[request.path] += 1
            return answer(progress, 404 if request.path == MISSING else 200)
        action = request.query_string.removeprefix("Action=")
        payload = json.loads(body)
        if action == "ListProjects" and payload.get("pageSize") == ROWS:
            return answer(listed(int(payload["pageNumber"])))
        about = payload.get("id", "")
        state.asked[f"{action} {about}"] += 1
        if state.reached in (True, about) and action == "DescribeProjectProgress":
            state.reached_at.setdefault(about, time.monotonic())
            return answer(answers["done"].replace(taken_of, about.encode()))
        numbered = answers.get(f"{action} {payload.get('pageNumber')}")
        # The id is replaced, because the client refuses an answer about another project than the requested one.
        return answer(numbered or answers[action].replace(taken_of, about.encode()))

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(web.Server(handle), "127.0.0.1", 0, backlog=4096)
        print(server.sockets[0].getsockname()[1], flush=True)
        # Standard input is closed when the measuring process ends.
        await loop.run_in_executor(None, sys.stdin.read)

    asyncio.run(run())


if __name__ == "__main__":
    _serve()
