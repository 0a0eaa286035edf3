"""Debian's Chromium, driven through its own driver. Knows nothing of pytest."""

from __future__ import annotations

import base64
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement

# It runs as root in a container, and asks nobody on the internet for anything.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOADED_WITHIN_S = 20
# What the driver says, instead of calling it stale, of an element whose page goes while it looks.
GOING = "does not belong to the document"


class Page:
    """What a person does with a browser window."""

    def __init__(self, driver: Chrome) -> None:
        self._driver = driver

    def open(self, url: str) -> None:
        """Go to an address and wait until the page is there."""
        self._driver.get(url)

    @property
    def url(self) -> str:
        """Give the address of the page."""
        return self._driver.current_url

    @property
    def text(self) -> str:
        """Give what can be read on the page."""
        return self._driver.find_element(By.TAG_NAME, "body").text

    def fill_in(self, **fields: str) -> None:
        """Type into fields, by the last part of their names."""
        for name, value in fields.items():
            ends = f"input[name='{name}'], input[name$='[{name}]']"
            self._driver.find_element(By.CSS_SELECTOR, ends).send_keys(value)

    def press(self, label: str) -> None:
        """Press a button or follow a link, and wait until that page is gone."""
        wanted = f"//button[.='{label}'] | //input[@type='submit' and @value='{label}'] | //a[.='{label}']"
        found = self._driver.find_element(By.XPATH, wanted)
        found.click()
        WebDriverWait(self._driver, LOADED_WITHIN_S).until(lambda _: _is_gone(found))

    def wide(self, width: int, height: int, *, dark: bool = False, reduced: bool = False) -> None:
        """Give the page this size on the screen, in CSS pixels, and the reader's preferences."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.devtools("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        motion = {
            "name": "prefers-reduced-motion",
            "value": "reduce" if reduced else "no-preference",
        }
        self.devtools("Emulation.setEmulatedMedia", features=[scheme, motion])

    def devtools(self, command: str, **facts: object) -> dict[str, Any]:
        """Ask the browser's own tools."""
        found: dict[str, Any] = self._driver.execute_cdp_cmd(command, facts)
        return found

    def run(self, script: str, *values: object) -> Any:
        """Give what a script on the page returns."""
        return self._driver.execute_script(script, *values)

    def until(self, script: str, *values: object) -> None:
        """Wait until a script returns something true."""
        WebDriverWait(self._driver, LOADED_WITHIN_S, poll_frequency=0.05).until(
            lambda driver: driver.execute_script(script, *values)
        )

    def key(self, keys: str) -> None:
        """Press a key, wherever the keyboard is."""
        ActionChains(self._driver).send_keys(keys).perform()

    def photograph(self, file: Path) -> None:
        """Save the whole page as a picture."""
        # Packing a picture as tightly as possible takes longer than drawing it.
        taken = self.devtools(
            "Page.captureScreenshot", captureBeyondViewport=True, optimizeForSpeed=True
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(taken["data"]))

    def said(self, kind: str) -> list[dict[str, Any]]:
        """Give what was logged since the last question: `browser` for errors, `performance` for requests."""
        logged: list[dict[str, Any]] = self._driver.get_log(kind)
        return logged

    def cookies(self) -> dict[str, dict[str, object]]:
        """Give the cookies that this page's site has, by name."""
        return {cookie["name"]: cookie for cookie in self._driver.get_cookies()}


def _is_gone(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as error:
        if GOING in (error.msg or ""):
            return True
        raise
    return False


@contextmanager
def window(profile: Path) -> Iterator[Page]:
    """Open a window of a browser that knows nothing yet.

    Args:
        profile: An empty folder.
    """
    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(str(shutil.which("chromedriver"))))
    try:
        driver.set_page_load_timeout(LOADED_WITHIN_S)
        driver.implicitly_wait(LOADED_WITHIN_S)
        yield Page(driver)
    finally:
        driver.quit()
