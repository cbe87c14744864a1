"""Start an Airflow and a simulated OMS, and check the progress page in a browser. ``progress_page.py`` runs this.

browse_progress.py VERSION PORT CHROMIUM AXE [FOLDER]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright

from airflow_provider_oms.pages.known import INTERVAL
from airflow_provider_oms.simulator import Clock, Project, Simulator, Table
from browse import ENCODED, FLAGS, PASSWORD, hold, until
from demo.home import airflow_environment, standalone_environment, throw_away_home
from demo.process import Process
from demo.standalone import wait_until_ready
from versions import NEWEST

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

#: How long the projects have been running, in seconds.
PAST = 6.1 * 3600

DAG_ID = "watch_migrations"
DAG_FILE = f'''
from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.sensors import oms

WAITS = {{"deferrable": True, "poke_interval": 5, "timeout": 3600}}

with DAG("{DAG_ID}", schedule=None, start_date=datetime(2025, 1, 1)):
    oms.OmsCheckpointLagSensor(task_id="orders_fresh", project_name="orders_to_oceanbase", max_lag=25, **WAITS)
    oms.OmsFullTransferSensor(task_id="ledger_copied", project_name="ledger", **WAITS)
    oms.OmsFullTransferSensor(task_id="crm_copied", project_name="crm", **WAITS)
    oms.OmsProjectStatusSensor.partial(task_id="each_runs", target_statuses=["RUNNING"], deferrable=False).expand(
        project_name=["orders_to_oceanbase", "catalogue"]
    )
'''

#: The tasks, and the state that each has while the page is checked.
STATES = {"orders_fresh": "deferred", "ledger_copied": "deferred", "crm_copied": "deferred", "each_runs": "success"}

#: The pictures that are saved; for older versions only the first one.
KEPT = ("frame", "task-wide-light", "failed-wide-light", "connection-narrow-dark")

#: Airflow's states of a task that has ended.
ENDED = ("success", "failed", "upstream_failed", "skipped")

HOSTILE = "<img src=x onerror=alert(1)>"

#: The checks of axe: all of them, including best practices.
AXE = "async () => (await axe.run()).violations.map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' '))"


def projects() -> list[Project]:
    """Return projects in every state that the page distinguishes."""
    tables = [Table(schema="shop", table="orders", consistent=60_000)]
    return [
        Project(
            id="np_orders",
            name="orders_to_oceanbase",
            status="RUNNING",
            step="INCR_TRANSFER",
            rows=1_200_000,
            initial_lag=14_400,
            catch_up_rate=1.6,
            changes=340,
            labels=["wave 1"],
        ),
        Project(id="np_ledger", name="ledger", rows=48_000_000, durations={"FULL_TRANSFER": 5400}, labels=["wave 2"]),
        Project(
            id="np_crm",
            name="crm",
            status="RUNNING",
            step="FULL_TRANSFER",
            step_progress=62,
            rows=8_500_000,
            durations={"FULL_TRANSFER": 4 * PAST},
        ),
        Project(id="np_catalogue", name="catalogue", status="RUNNING", step="INCR_TRANSFER", labels=["wave 1"]),
        Project(
            id="np_prices",
            name="prices",
            status="RUNNING",
            step="FULL_VERIFIER",
            step_progress=100,
            verification=tables,
        ),
        Project(id="np_stock", name="stock", status="SUSPEND", step="FULL_TRANSFER", step_progress=37, rows=900_000),
        Project(id="np_odd", name=HOSTILE, status="RUNNING", step="FULL_TRANSFER", step_progress=12),
        Project(id="np_new", name="archive_2019"),
    ]


class Person:
    """A user with their own browser context.

    :param browser: the browser
    :param address: where Airflow is
    :param login: user and password; None for somebody without a login
    :param options: the options of the browser's context
    """

    def __init__(self, browser: Browser, address: str, login: tuple[str, str] | None, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(**options)
        self.address = address
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.leaks: list[str] = []
        self.context.on("request", self._see_request)
        self.context.on("response", self._see_response)
        if login is not None:
            self.page.goto(f"{address}/auth/login/")
            self.page.locator("input[name=username]").fill(login[0])
            self.page.locator("input[name=password]").fill(login[1])
            self.page.locator("input[name=password]").press("Enter")
            self.page.wait_for_url(lambda url: "login" not in url)

    def _see_request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:", "about:")):
            self.elsewhere.append(request.url)

    def _see_response(self, response: Response) -> None:
        if "/oms-progress" in response.url and response.status == 200:
            text = response.text() + str(response.headers)
            if PASSWORD in text or ENCODED in text:
                self.leaks.append(response.url)

    def open(self, path: str) -> Page:
        page = self.context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{self.address}{path}")
        return page

    def status(self, path: str) -> int:
        return self.context.request.get(f"{self.address}{path}").status

    def close(self, words: str) -> None:
        hold(not self.complaints, f"{words}: the browser reports no error {self.complaints or ''}")
        hold(not self.elsewhere, f"{words}: no request to another host {self.elsewhere or ''}")
        hold(not self.leaks, f"{words}: no answer contains the password {self.leaks or ''}")
        self.context.close()


class Tried:
    """The checks of the page on one version of Airflow.

    :param browser: the browser
    :param version: the version
    :param address: where Airflow is
    :param logins: the passwords of the users
    :param oms: the simulated OMS
    :param axe: axe's script
    :param folder: where the pictures are saved; None to take none
    """

    def __init__(
        self,
        browser: Browser,
        version: str,
        address: str,
        logins: dict[str, str],
        oms: Simulator,
        axe: str,
        folder: Path | None,
    ) -> None:
        self.browser, self.version, self.address, self.logins = browser, version, address, logins
        self.oms, self.axe, self.folder = oms, axe, folder
        self.run_id = ""

    def person(self, name: str | None, **options: Any) -> Person:
        login = None if name is None else (name, self.logins[name])
        return Person(self.browser, self.address, login, **{"viewport": WIDE, **options})

    def task(self, task: str) -> str:
        return f"/oms-progress/dags/{DAG_ID}/runs/{quote(self.run_id)}/tasks/{task}/-1"

    def start(self) -> None:
        """Start the DAG, and wait until each of its tasks has the state in ``STATES``."""
        person = self.person("admin")
        token = person.context.request.post(
            f"{self.address}/auth/token", data={"username": "admin", "password": self.logins["admin"]}
        ).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}

        def ask(method: str, path: str, body: Any = None) -> Any:
            options = {"headers": headers, "timeout": 0, **({"data": body} if body is not None else {})}
            answer = getattr(person.context.request, method)(f"{self.address}/api/v2/{path}", **options)
            return answer.json() if answer.ok else {}

        until("Airflow has loaded the DAG", lambda: ask("patch", f"dags/{DAG_ID}", {"is_paused": False}), 120)
        self.run_id = ask("post", f"dags/{DAG_ID}/dagRuns", {"logical_date": None})["dag_run_id"]
        path = f"dags/{DAG_ID}/dagRuns/{quote(self.run_id)}/taskInstances"

        def waiting() -> bool:
            states = [(one["task_id"], one["state"]) for one in ask("get", path)["task_instances"]]
            odd = [pair for pair in states if pair[1] in ENDED and STATES[pair[0]] != pair[1]]
            if odd:
                hold(False, f"no task has ended in another state than expected: {odd}")
            return len(states) == len(STATES) + 1 and all(STATES[task] == state for task, state in states)

        until("three gates wait, two are open", waiting)
        person.context.close()

    def check(self, page: Page, words: str) -> None:
        """Check a page with axe, and that it fits the width of the window.

        :param page: the page
        :param words: its name in the output
        """
        page.evaluate(self.axe)
        found = page.evaluate(AXE)
        hold(not found, f"{words}: axe reports nothing {found or ''}")
        across = page.evaluate("document.documentElement.scrollWidth")
        wide = page.viewport_size["width"] if page.viewport_size else 0
        hold(across <= wide, f"{words}: {across} px wide, so it doesn't scroll sideways")

    def picture(self, page: Page, name: str, *, whole: bool = True) -> None:
        if self.folder is None or name not in (KEPT if self.version == NEWEST else KEPT[:1]):
            return
        image = Image.open(BytesIO(page.screenshot(full_page=whole))).convert("RGB")
        image = image.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        image.save(self.folder / f"{self.version}-{name}.png", optimize=True)

    # The checks

    def link(self) -> None:
        """Follow the link to the progress page that a gate has on Airflow's own page."""
        person = self.person("admin")
        page = person.open(f"/dags/{DAG_ID}/runs/{quote(self.run_id)}/tasks/orders_fresh/details")
        button = page.locator(f"a[href='{self.task('orders_fresh')}']")  # not the link in the navigation
        expect(button).to_be_visible()
        button.click()

        def is_there() -> bool:
            """Tell whether some tab shows the project: 3.1 opens the link in a new tab, later versions don't."""
            return any(tab.get_by_role("heading", name="orders_to_oceanbase").count() for tab in person.context.pages)

        hold(until("the link opens the project", is_there, 60), "the link of a task leads to its project")
        person.complaints.clear()  # errors of Airflow's own page
        person.close("the link")

    def navigation(self) -> None:
        """Check that Airflow's navigation has the page, and that it works in Airflow's frame."""
        person = self.person("admin")
        page = person.open("/plugin/oms-progress")
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="Migration progress")).to_be_visible()
        frame.get_by_role("link", name="oms_default").click()
        expect(frame.get_by_role("heading", name="Projects of oms_default")).to_be_visible()
        frame.get_by_label("Find").fill("wave 2")
        expect(frame.get_by_role("heading", name="catalogue")).to_have_count(0)
        expect(frame.get_by_role("heading", name="ledger")).to_be_visible()
        hold(True, "the page and its script work inside Airflow's frame")
        frame.get_by_label("Find").fill("")
        expect(frame.get_by_role("heading", name="catalogue")).to_be_visible()
        self.picture(page, "frame", whole=False)
        menu = page.get_by_role("button", name="Plugins").or_(page.get_by_role("link", name="Migration progress")).first
        expect(menu).to_be_visible()
        hold(True, "Airflow's navigation has the page")
        person.complaints.clear()
        person.close("the navigation")

    def looks(self) -> None:
        """Check each kind of page, wide and narrow, light and dark."""
        for size, sized in ((WIDE, "wide"), (NARROW, "narrow")):
            for scheme in ("light", "dark"):
                if self.version != NEWEST and (sized, scheme) not in (("wide", "light"), ("narrow", "dark")):
                    continue
                person = self.person("admin", viewport=size, color_scheme=scheme)
                page = person.open(self.task("orders_fresh"))
                expect(page.get_by_role("img", name="Lag from")).to_be_visible()
                expect(page.get_by_role("img", name="Rows per second from")).to_be_visible()
                self.check(page, f"a task, {sized}, {scheme}")
                self.picture(page, f"task-{sized}-{scheme}")
                page = person.open(self.task("ledger_copied"))
                expect(page.get_by_text("rows/s").first).to_be_visible()
                self.check(page, f"a task that copies, {sized}, {scheme}")
                self.picture(page, f"copying-{sized}-{scheme}")
                page = person.open("/oms-progress/connections/oms_default")
                expect(page.get_by_text("archive_2019")).to_be_visible()
                self.check(page, f"a connection, {sized}, {scheme}")
                self.picture(page, f"connection-{sized}-{scheme}")
                page = person.open("/oms-progress/")
                self.check(page, f"the connections, {sized}, {scheme}")
                person.close(f"{sized}, {scheme}")

    def what_is_shown(self) -> None:
        person = self.person("admin")
        page = person.open("/oms-progress/connections/oms_default")
        names = page.locator("ul.projects h2").all_inner_texts()
        last = max(names.index("crm"), names.index("stock"))
        first = names[0] == "crm" and last < names.index("orders_to_oceanbase")
        hold(first, f"failed projects are listed first, then other projects that need a person: {names}")
        hold(HOSTILE in names, "a name that contains HTML is shown as text")
        page.get_by_label("Sort by").select_option("name")
        expect(page.locator("ul.projects h2").first).to_have_text(HOSTILE)
        page.get_by_label("Show").select_option("act")
        expect(page.get_by_role("heading", name="archive_2019")).to_have_count(0)
        hold("show=act" in page.url and "sort=name" in page.url, "the filter and the order are in the address")
        page.reload()
        expect(page.get_by_role("heading", name="crm")).to_be_visible()
        expect(page.get_by_role("heading", name="archive_2019")).to_have_count(0)
        page = person.open(self.task("crm_copied"))
        expect(page.get_by_text("No space left on device").first).to_be_visible()
        hold(page.get_by_text("Needs a person").is_visible(), "a failed step is shown with OMS's error")
        self.picture(page, "failed-wide-light")
        person.close("what is shown")

    def keyboard(self) -> None:
        person = self.person("admin")
        page = person.open("/oms-progress/")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Projects of oms_default")).to_be_visible()
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.type("ledger")
        expect(page.get_by_role("heading", name="catalogue")).to_have_count(0)
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        hold(outline == "solid", "the keyboard reaches the filter, and the focus is visible")
        page = person.open(self.task("orders_fresh"))
        summary = page.locator("#lag-figures summary")
        summary.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("columnheader", name="Highest")).to_be_visible()
        page.wait_for_timeout((INTERVAL + 1) * 1000)  # until the page has updated itself
        hold(page.locator("details[open]").count() == 1, "a section that was opened stays open after an update")
        hold(page.evaluate("document.activeElement.tagName") == "SUMMARY", "the focus stays where it was")
        person.close("the keyboard")

    def rights(self) -> None:
        viewer = self.person("viewer")
        page = viewer.open(self.task("orders_fresh"))
        expect(page.get_by_role("heading", name="orders_to_oceanbase")).to_be_visible()
        hold(page.get_by_text("All projects of this connection").count() == 0, "a viewer sees the project of a task")
        hold(viewer.status("/oms-progress/connections/oms_default") == 403, "a viewer can't list the projects")
        page = viewer.open("/oms-progress/")
        expect(page.get_by_text("There is no connection")).to_be_visible()
        self.check(page, "a viewer's list of connections")
        viewer.close("a viewer")
        nobody = self.person(None)
        paths = ("/oms-progress/", "/oms-progress/connections/oms_default", self.task("orders_fresh"))
        statuses = [nobody.status(path) for path in paths]
        hold(statuses == [401, 401, 401], f"without a login every page is refused: {statuses}")
        nobody.close("without a login")

    def outage(self) -> None:
        person = self.person("admin")
        page = person.open(self.task("orders_fresh"))
        expect(page.get_by_text("Incremental sync").first).to_be_visible()
        self.oms.down()
        expect(page.get_by_text("This is what was known")).to_be_visible(timeout=40_000)
        hold(page.get_by_text("Incremental sync").first.is_visible(), "during an outage the page shows the last state")
        self.check(page, "a task during an outage")
        self.picture(page, "away-wide-light")
        self.oms.up()
        expect(page.get_by_text("This is what was known")).to_have_count(0, timeout=40_000)
        hold(True, "after the outage the page shows the current state")
        person.close("an outage")

    def load(self) -> None:
        """Open the page in many browsers at once: they must share the requests to OMS."""
        time.sleep(INTERVAL + 1)
        since = time.monotonic()
        self.oms.clear_requests()
        people = [self.person("admin") for _ in range(3)]
        for person in people:
            for _ in range(3):
                person.open(self.task("ledger_copied"))
        people[0].page.wait_for_timeout(2.1 * INTERVAL * 1000)
        passed = time.monotonic() - since
        # ListProjects alone is counted: the gate on the same project uses it only once, before it waits.
        rows = [request for request in self.oms.requests if request.action == "ListProjects"]
        count = len([request for request in rows if "np_ledger" in json.dumps(request.payload)])
        most = int(passed / INTERVAL) + 1
        hold(2 <= count <= most, f"nine open pages in {passed:.0f} s: {count} requests for the project")
        for person in people:
            person.close("many")


@contextmanager
def standalone(oms: Simulator, port: int) -> Iterator[dict[str, str]]:
    """Run Airflow with the page and two users; yield their passwords."""
    with throw_away_home() as home:
        dags = home / "dags"
        dags.mkdir()
        (dags / "watch.py").write_text(DAG_FILE)
        settings = airflow_environment(home, dags, oms.connection_json, deferrable=True)
        settings |= standalone_environment(port)
        settings |= {
            "AIRFLOW__OMS__PROGRESS_PAGE": "True",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
        }
        with Process([sys.executable, "-m", "airflow", "standalone"], settings, home / "standalone.log") as airflow:
            wait_until_ready(airflow, home, port)
            yield json.loads((home / "simple_auth_manager_passwords.json.generated").read_text())


def main() -> None:
    version, port, chromium, axe = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]).read_text()
    folder = Path(sys.argv[5]) if len(sys.argv) > 5 else None
    # OMS's clock begins hours ago, so that the curves show some hours.
    clock = Clock(start=time.time() - PAST)
    with (
        Simulator(projects(), password=PASSWORD, clock=clock) as oms,
        standalone(oms, port) as logins,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=FLAGS) as browser,
    ):
        expect.set_options(timeout=30_000)
        clock.advance(PAST - 1500)
        oms.project("ledger").start()
        clock.advance(1500)
        tried = Tried(browser, version, f"http://127.0.0.1:{port}", logins, oms, axe, folder)
        tried.start()
        oms.project("crm").fail(message="No space left on device")
        tried.link()
        tried.navigation()
        tried.looks()
        tried.what_is_shown()
        tried.keyboard()
        tried.rights()
        tried.outage()
        tried.load()


if __name__ == "__main__":
    main()
