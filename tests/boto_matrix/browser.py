"""Debian's Chromium, driven by its own driver: a page is opened, and what it does is watched."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_PATIENCE = 10.0  # seconds for what takes a few hundredths


class Browser:
    """A browser and the page that is open in it."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, *, width: int = 1280, height: int = 900, at: str = "") -> None:
        is_phone = width < 500
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        # Without a window that is active, Chromium 150 takes nothing on the page for focused.
        self.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
        self.driver.get("about:blank")  # or a new address that differs in its end only would not load the page anew
        self._log("performance")
        self._log("browser")
        self.driver.get(f"{page.as_uri()}{at}")

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def find(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        return self.find(css).text

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def press_with_control(self, key: str) -> None:
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys(key).key_up(Keys.CONTROL).perform()

    def wait(self, script: str) -> None:
        """Wait until a script is true."""
        WebDriverWait(self.driver, _PATIENCE, 0.02).until(lambda _: self.run(f"return {script}"), script)

    def focused_cell(self) -> str | None:
        name: str | None = self.run("return document.activeElement.dataset.cell ?? null")
        return name

    def console(self) -> list[str]:
        """What the console says since the page was opened: errors, and what its policy has refused."""
        return [str(entry["message"]) for entry in self._log("browser")]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]

    def _log(self, name: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(name)  # type: ignore[no-untyped-call]  # selenium's
        return entries

    def emulate(self, **features: str) -> None:
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Start the browser; the test is skipped where there is none, unless REQUIRE_CHROMIUM is set."""
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in paths:
        missing = "chromium and chromedriver are not on PATH: `make chromium` installs Debian's"
        pytest.fail(missing) if os.environ.get("REQUIRE_CHROMIUM") else pytest.skip(missing)
    options = ChromeOptions()
    options.binary_location = str(paths[0])
    for argument in (
        "--headless=new",
        "--no-sandbox",  # root has no other way
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--force-prefers-reduced-motion",  # what moves in is not there at first
        "--host-resolver-rules=MAP * ~NOTFOUND",  # it must not look up a name, whatever it is up to
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(str(paths[1])))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
