"""Start an Airflow and a simulated OMS, and check both in a browser. ``screenshots.py`` runs this in an environment.

browse.py VERSION PORT CHROMIUM [FOLDER]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect, sync_playwright

from airflow_provider_oms.simulator import Project, Simulator, Table
from demo.home import airflow_environment, example_dags, standalone_environment, throw_away_home
from demo.migration import database_connections, example_projects
from demo.process import Process
from demo.standalone import read_login, wait_until_ready

#: The browser may connect only to this machine.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
SIZE = {"width": 1280, "height": 800}

#: The OMS password, as text and as it is sent. It must not appear on any page, in any log or in any answer.
PASSWORD = "a-secret-that-nobody-may-see"  # noqa: S105
ENCODED = "YS1zZWNyZXQtdGhhdC1ub2JvZHktbWF5LXNlZQ"

#: A value for every extra field of the form. The CA bundle isn't read, because the connection uses http.
EXTRA = {
    "verify": "/etc/ssl/certs/oms.pem",
    "timeout": "12.5",
    "retries": "5",
    "api_version": "v2",
    "console_url": "{base_url}/?project={project_id}",
}

#: The connection with every field, which is saved, read back and tested; and the connection of the runs.
EVERY_FIELD, DEFAULT = "oms_every_field", "oms_default"

#: The runs to check, by name: the DAG, its parameters, and the task and state to wait for.
RUNS = {
    "gate": ("example_oms_gate", {}, "downstream", "success"),
    "migration": ("example_oms_migration", {}, "downstream", "success"),
    "waiting": ("example_oms_gate", {"project": "shop_slow"}, "full_transfer", "deferred"),
    "failed": ("example_oms_verification", {"project": "shop_different"}, "verified", "failed"),
}


def projects() -> list[Project]:
    """Return the demo's projects, one whose full transfer takes long, and one with a table that differs."""
    tables = [
        Table(schema="shop", table="orders", consistent=60_000),
        Table(schema="shop", table="prices", result_type="INCONSISTENT", consistent=990, mismatched=10),
    ]
    return [
        *example_projects(),
        Project(id="np_slow", name="shop_slow", rows=5_000_000, durations={"FULL_TRANSFER": 600}),
        Project(name="shop_different", status="RUNNING", step="FULL_VERIFIER", step_progress=100, verification=tables),
    ]


def hold(condition: object, claim: str) -> None:
    """Print that a check has passed; end the program if it has failed."""
    if not condition:
        sys.exit(f"  WRONG  {claim}")
    print(f"  ok     {claim}", flush=True)


def until(what: str, poll: Callable[[], Any], seconds: float = 240) -> Any:
    """Call a function until its result isn't empty, and return that."""
    end = time.monotonic() + seconds
    while not (found := poll()):
        if time.monotonic() > end:
            sys.exit(f"  WRONG  {what}: still not so after {seconds:g} s")
        time.sleep(1)
    return found


class Airflow:
    """What is the same on both versions of Airflow: the pictures, the runs, and the checks.

    :param context: the browser
    :param address: where Airflow's pages are
    :param login: user and password
    :param folder: where the pictures are saved; None to take none
    """

    version: str
    api: str
    headers: dict[str, str]

    def __init__(self, context: BrowserContext, address: str, login: tuple[str, str], folder: Path | None) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.address = address
        self.login = login
        self.folder = folder
        self.runs: dict[str, str] = {}
        self.headers = {}

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str = "get") -> Any:
        """Ask Airflow's REST API."""
        options: dict[str, Any] = {"headers": {**self.headers, "Accept": "application/json"}}
        if body is not None:
            options["data"] = body
        answer = getattr(self.context.request, method)(f"{self.address}{self.api}/{path}", **options)
        if not answer.ok:
            sys.exit(f"  WRONG  {path}: {answer.status} {answer.text()[:500]}")
        return answer.json()

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def picture(self, name: str, *, of: Locator | None = None, whole: bool = False, typed: bool = False) -> None:
        """Check that no secret is on the page, and save a small picture of it.

        :param name: the end of the file's name
        :param of: a part of the page; by default the visible part
        :param whole: the whole page, not only what is visible
        :param typed: the password has just been typed here and is shown as dots: don't look for it
        """
        content = self.page.content()
        hold(typed or not (PASSWORD in content or ENCODED in content), f"{name}: no secret is on the page")
        if self.folder is None:
            return
        shot = of.screenshot() if of else self.page.screenshot(full_page=whole)
        image = Image.open(BytesIO(shot)).convert("RGB").quantize(128, method=Image.Quantize.MEDIANCUT, dither=0)
        image.save(self.folder / f"{self.version}-{name}.png", optimize=True)

    def start(self, name: str) -> None:
        dag, parameters, _, _ = RUNS[name]
        self.ask(f"dags/{dag}", {"is_paused": False}, "patch")
        body: dict[str, Any] = {"conf": parameters, **self.moment()}
        self.runs[name] = self.ask(f"dags/{dag}/dagRuns", body, "post")["dag_run_id"]

    def moment(self) -> dict[str, Any]:
        return {}

    def task(self, name: str, task: str, more: str = "") -> str:
        return f"dags/{RUNS[name][0]}/dagRuns/{quote(self.runs[name])}/taskInstances/{task}{more}"

    def await_run(self, name: str) -> None:
        _, _, task, state = RUNS[name]
        until(f"{name}: {task} {state}", lambda: self.ask(self.task(name, task))["state"] == state)
        hold(True, f"{name}: {task} is {state}")

    def log_of(self, name: str, task: str, part: str, times: int = 1) -> str:
        """Wait until a task's log contains a text a number of times, and return the log."""
        path = self.task(name, task, "/logs/1?full_content=true")

        def poll() -> str:
            text = json.dumps(self.ask(path)["content"])
            return text if text.count(part) >= times else ""

        text = str(until(f"{part!r} in the log of {task}", poll))
        hold(PASSWORD not in text and ENCODED not in text, f"{name}: no secret is in the log of {task}")
        return text

    def check_connection(self) -> None:
        """Check that the stored connection has the values that were typed."""
        stored = self.ask(f"connections/{EVERY_FIELD}")
        hold(stored.get("password") in (None, "***"), "the API doesn't show the password")
        kept = {key: str(stored[key]) for key in ("conn_type", "description", "host", "login", "port", "schema")}
        typed = {"conn_type": "oms", **self.fields()}
        typed.pop("password")
        hold(kept == typed, f"every standard field is kept: {kept}")
        extra = {key: str(value) for key, value in json.loads(stored["extra"]).items()}
        hold(extra == EXTRA, f"every extra field is kept: {extra}")

    def check_default(self) -> None:
        """Check that no value is stored for a field that was left empty."""
        extra = json.loads(self.ask(f"connections/{DEFAULT}")["extra"])
        filled = {key: value for key, value in extra.items() if value not in (None, "")}
        hold(filled == {"console_url": EXTRA["console_url"]}, f"fields that were left empty are stored empty: {extra}")

    def fields(self) -> dict[str, str]:
        return {
            "host": "127.0.0.1",
            "port": str(self.oms_port),
            "schema": "http",
            "login": "admin",
            "password": PASSWORD,
            "description": "The OMS of the shop",
        }

    oms_port: int

    def check_link(self, name: str, task: str, project_id: str) -> str:
        """Check the address of a task's link to the console, and return it."""
        links = self.ask(self.task(name, task, "/links"))
        address = links.get("extra_links", links)["OMS console"]
        hold(address == f"http://127.0.0.1:{self.oms_port}/?project={project_id}", f"the link of {task}: {address}")
        return str(address)

    def follow(self, link: Locator) -> None:
        with self.context.expect_page() as opened:
            link.click()
        expect(opened.value.get_by_role("heading", name="OMS simulator")).to_be_visible()
        hold(True, "the link opens the simulator's page")
        opened.value.close()

    def check_logs(self) -> None:
        text = self.log_of("gate", "lag", "Reached. The forward checkpoint lies")
        hold("Traceback" not in text, "the log of a gate that opened has no traceback")
        text = self.log_of("waiting", "full_transfer", "Waiting. The full transfer is at", times=4)
        waits_for = "Waiting for: the full transfer at 100 % in project 'shop_slow'"
        hold(waits_for in text, "the log of a waiting gate says what it waits for")
        text = self.log_of("failed", "verified", "Failed.")
        hold("prices" in text and "orders" not in text, "the log of a failed gate names only the table that differs")


class Airflow3(Airflow):
    """Airflow 3.3."""

    version = "3.3"
    api = "/api/v2"

    def moment(self) -> dict[str, Any]:
        return {"logical_date": None}

    def sign_in(self) -> None:
        page = self.open("/")
        page.locator("input[name=username]").fill(self.login[0])
        page.locator("input[name=password]").fill(self.login[1])
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()

    def connect(self) -> None:
        self.page.set_viewport_size({"width": 1280, "height": 1000})
        self._fill(EVERY_FIELD, EXTRA)
        row = self.page.get_by_role("row").filter(has_text=EVERY_FIELD)
        expect(row).to_be_visible()
        self.check_connection()
        with self.page.expect_response(lambda answer: "/connections/" in answer.url and "test" in answer.url) as tested:
            row.get_by_role("button", name="Test Connection").click()
        said = tested.value.json()
        hold(said["status"] and "knows this user" in said["message"], f"the connection test: {said['message']}")
        self._fill(DEFAULT, {"console_url": EXTRA["console_url"]}, "connection")
        expect(self.page.get_by_role("row").filter(has_text=DEFAULT)).to_be_visible()
        self.check_default()
        self.page.set_viewport_size(SIZE)

    def _fill(self, name: str, extra: dict[str, str], picture: str = "") -> None:
        """Fill in the form, and save it."""
        page = self.open("/connections")
        page.get_by_role("button", name="Add Connection").click()
        form = page.get_by_role("dialog")
        form.locator("input[name=connection_id]").fill(name)
        form.get_by_role("combobox", name="Connection Type").fill("OceanBase Migration")
        page.keyboard.press("Enter")
        expect(form.get_by_label("OMS console host")).to_be_visible()
        if picture:
            self.picture(picture, of=form)
        for field, value in self.fields().items():
            form.locator(f"[name={field}]").fill(value)
        form.get_by_role("button", name="Extra Fields", exact=True).click()
        expect(form.get_by_text("The address that the console link opens")).to_be_visible()
        page.wait_for_timeout(500)  # until the section is fully open
        if picture:
            self.picture(f"{picture}-extra", of=form, typed=True)
        for field, value in extra.items():
            if field == "api_version":
                form.get_by_role("combobox", name="API version").fill(value)
                page.keyboard.press("Enter")
            else:
                form.locator(f"input[name=element_{field}]").fill(value)
        form.get_by_role("button", name="Save").click()

    def poll(self) -> None:
        self._show("waiting", "full_transfer").keyboard.press("w")  # wraps long lines
        self.page.wait_for_timeout(500)
        self.picture("log-waiting")
        self.check_link("waiting", "full_transfer", "np_slow")
        self._show("waiting", "full_transfer", "details")
        button = self.page.get_by_role("link", name="OMS console")
        expect(button).to_be_visible()
        self.picture("link")
        self.follow(button)
        page = self._show("failed", "verified")
        page.get_by_text("OmsMilestoneFailedError").first.evaluate("line => line.click()")  # folds the traceback
        page.wait_for_timeout(500)
        self.picture("log-failed")
        page = self._show("migration", "create", "rendered_templates")
        expect(page.get_by_text('"transferMapping"')).to_be_visible()
        self.picture("rendered")
        page = self._show("gate", "lag", "xcom")
        page.get_by_role("button", name="Expand all").or_(page.get_by_label("Expand all")).first.click()
        self.picture("xcom")
        page = self.open(f"/dags/{RUNS['migration'][0]}/runs/{quote(self.runs['migration'])}")
        page.get_by_label("Show Graph").first.click()
        expect(page.get_by_text("OmsStartProjectOperator").first).to_be_visible()
        page.wait_for_timeout(2000)  # until the graph has stopped moving
        self.picture("graph")

    def _show(self, name: str, task: str, tab: str = "") -> Page:
        page = self.open(f"/dags/{RUNS[name][0]}/runs/{quote(self.runs[name])}/tasks/{task}/{tab}")
        expect(page.get_by_role("tab", name="Details").or_(page.get_by_role("link", name="Details"))).to_be_visible()
        page.wait_for_timeout(2500)  # until all parts of the page are loaded
        return page


class Airflow2(Airflow):
    """Airflow 2.11."""

    version = "2.11"
    api = "/api/v1"

    def sign_in(self) -> None:
        from base64 import b64encode

        self.headers = {"Authorization": "Basic " + b64encode(":".join(self.login).encode()).decode()}
        page = self.open("/login/")
        page.locator("input[name=username]").fill(self.login[0])
        page.locator("input[name=password]").fill(self.login[1])
        page.keyboard.press("Enter")
        page.wait_for_url("**/home")

    def connect(self) -> None:
        self._fill(EVERY_FIELD, EXTRA, test=True)
        self.check_connection()
        self._fill(DEFAULT, {"console_url": EXTRA["console_url"]}, "connection")
        self.check_default()

    def _fill(self, name: str, extra: dict[str, str], picture: str = "", *, test: bool = False) -> None:
        """Fill in the form, and save it."""
        page = self.open("/connection/add")
        page.locator("#conn_id").fill(name)
        page.locator("#conn_type").select_option("oms", force=True)
        expect(page.locator("#extra__oms__console_url")).to_be_visible()
        page.wait_for_timeout(1000)
        if picture:
            self.picture(picture, whole=True)
        typed = self.fields() | {f"extra__oms__{field}": value for field, value in extra.items()}
        for field, value in typed.items():
            page.locator(f"#{field}").fill(value)
        if test:
            page.get_by_role("button", name="Test").click()
            said = page.get_by_text("knows this user")
            expect(said).to_be_visible()
            hold(True, f"the connection test: {said.inner_text().strip()}")
        page.get_by_role("button", name="Save").click()
        page.wait_for_url(lambda url: "/connection/add" not in url)

    def poll(self) -> None:
        self._show("waiting", "full_transfer", "logs").get_by_text("Wrap").click()
        self.picture("log-waiting")
        self.check_link("waiting", "full_transfer", "np_slow")
        page = self._show("waiting", "full_transfer", "details")
        button = page.get_by_role("link", name="OMS console")
        expect(button).to_be_visible()
        self.picture("link")
        self.follow(button)
        date = self.ask(f"dags/{RUNS['migration'][0]}/dagRuns/{quote(self.runs['migration'])}")["logical_date"]
        asked = f"dag_id={RUNS['migration'][0]}&task_id=create&execution_date={quote(date)}"
        page = self.open(f"/rendered-templates?{asked}")
        expect(page.get_by_text("transferMapping").first).to_be_visible()
        self.picture("rendered")
        page = self.open(f"/dags/{RUNS['migration'][0]}/grid?dag_run_id={quote(self.runs['migration'])}&tab=graph")
        expect(page.get_by_text("OmsStartProjectOperator").first).to_be_visible()
        page.wait_for_timeout(2500)
        self.picture("graph")

    def _show(self, name: str, task: str, tab: str) -> Page:
        page = self.open(f"/dags/{RUNS[name][0]}/grid?dag_run_id={quote(self.runs[name])}&task_id={task}&tab={tab}")
        expect(page.get_by_role("tab", name="Details")).to_be_visible()
        page.wait_for_timeout(4000)
        return page


@contextmanager
def standalone(oms: Simulator, port: int) -> Iterator[tuple[str, str]]:
    """Run Airflow with the example DAGs and without a connection to OMS; yield its login."""
    with throw_away_home() as home:
        settings = airflow_environment(home, example_dags(), oms.connection_json, deferrable=True)
        del settings["AIRFLOW_CONN_OMS_DEFAULT"]  # it is made in the form
        settings |= standalone_environment(port) | database_connections()
        settings |= {
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth,airflow.api.auth.backend.session",
        }
        with Process([sys.executable, "-m", "airflow", "standalone"], settings, home / "standalone.log") as airflow:
            wait_until_ready(airflow, home, port)
            login = read_login(home)
            if login is None:
                sys.exit("Airflow has generated no login")
            yield login


def main() -> None:
    version, port, chromium = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    folder = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    with (
        Simulator(projects(), password=PASSWORD, port=port + 1) as oms,
        standalone(oms, port) as login,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=FLAGS) as browser,
    ):
        expect.set_options(timeout=30_000)
        kind = Airflow3 if version.startswith("3") else Airflow2
        airflow = kind(browser.new_context(viewport=SIZE), f"http://127.0.0.1:{port}", login, folder)
        airflow.oms_port = port + 1
        airflow.sign_in()
        airflow.connect()
        for name in RUNS:
            airflow.start(name)
        for name in RUNS:
            airflow.await_run(name)
        airflow.check_logs()
        airflow.poll()


if __name__ == "__main__":
    main()
