"""Check the simulator's page in a browser. ``simulator_pictures.py`` runs this in an environment.

browse_simulator.py CHROMIUM [FOLDER]
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from airflow_provider_oms.simulator import Clock, Project, Simulator
from airflow_provider_oms.simulator.scenario import DEFAULT

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: 2027-01-16T00:00:00Z
MIDNIGHT = 1_800_057_600.0
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1100, "height": 800}


def hold(condition: object, claim: str) -> None:
    """Print that a check has passed; end the program if it has failed."""
    if not condition:
        sys.exit(f"  WRONG  {claim}")
    print(f"  ok     {claim}", flush=True)


def open_page(browser: Browser, sim: Simulator, size: dict[str, int], scheme: str) -> tuple[Page, list[str]]:
    """Open the page with its login; return it, and a list to which the browser's errors are added."""
    login = {"username": sim.login, "password": sim.password}
    context = browser.new_context(viewport=size, color_scheme=scheme, http_credentials=login)  # type: ignore[arg-type]
    page, complaints = context.new_page(), []  # type: ignore[var-annotated]
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(sim.url)
    return page, complaints


def take_pictures(browser: Browser, sim: Simulator, folder: Path) -> None:
    """Take the pictures for the docs: wide as on a desktop, and narrow as on a phone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, size in (("wide", WIDE), ("narrow", NARROW)):
        page, _ = open_page(browser, sim, size, "light")
        with Image.open(BytesIO(page.screenshot())) as picture:
            picture.convert("RGB").quantize(64).save(folder / f"{name}.png", optimize=True)
        page.context.close()


def try_the_looks(browser: Browser, sim: Simulator) -> None:
    for name, size in (("narrow", NARROW), ("wide", WIDE)):
        for scheme in ("light", "dark"):
            page, complaints = open_page(browser, sim, size, scheme)
            page.get_by_role("link", name="catching_up").click()
            expect(page.locator("details[open]")).to_have_count(1)
            across = page.evaluate("document.documentElement.scrollWidth")
            hold(across <= size["width"], f"{name}, {scheme}: {across} px wide, so it doesn't scroll sideways")
            hold(not complaints, f"{name}, {scheme}: the browser reports no error {complaints or ''}")
            page.context.close()


def try_the_buttons(browser: Browser, sim: Simulator) -> None:
    page, _ = open_page(browser, sim, NARROW, "light")
    summary = page.locator("#summary")
    page.get_by_label("project").select_option(label="catching_up")
    page.get_by_label("message of a failure").fill("no <b>space left")
    sim.clock.advance(1)
    expect(summary).to_contain_text("00:00:01")
    hold(page.get_by_label("message of a failure").input_value(), "an update of the page keeps what was typed")
    page.get_by_role("button", name="Fail", exact=True).click()
    expect(summary).to_contain_text("catching_up: fail no <b>space left. It is FAILED")
    hold(sim.project("catching_up").status == "FAILED", "the button Fail makes the project fail")
    page.get_by_role("button", name="Take OMS down").click()
    expect(page.locator("#away")).to_contain_text("does not answer")
    sim.up()
    expect(page.locator("#away")).to_be_empty()
    hold(True, "the page says that OMS is down, and continues when it is up again")
    page.set_content(
        f'<form method="post" action="{sim.url}/control"><input name="control" value="pause">'
        '<input name="project" value="to_kafka"><button>go</button></form>'
    )
    page.get_by_role("button").click()
    expect(page.locator("body")).to_contain_text("not from this page")
    hold(sim.project("to_kafka").status == "RUNNING", "another site's form is refused")
    page.context.close()


def main(chromium: str, folder: str | None = None) -> None:
    with Simulator(DEFAULT, clock=Clock(speed=0, start=MIDNIGHT)) as sim, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            if folder is not None:
                take_pictures(browser, sim, Path(folder))
            for number in range(1, 11):
                sim.add_project(Project(name=f"warehouse_of_orders_{number:02}"))
            try_the_looks(browser, sim)
            try_the_buttons(browser, sim)
        finally:
            browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
