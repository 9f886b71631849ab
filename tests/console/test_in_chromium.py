"""The pages in a real browser: seen, clicked, typed; wide and narrow, light and dark.

Needs Chromium with its driver (Debian: apt install chromium chromium-driver), and selenium.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.peers import Client
from support.servers import require
from support.waiting import wait_for

from .conftest import Console, StartConsole

PAGES = (
    "overview", "keys", "messages", "slow", "clients", "topology", "settings", "terminal",
)  # fmt: skip
WIDE, NARROW = (1280, 860), (390, 800)


class Screen:
    """A window of Chromium."""

    def __init__(self, driver: Any, console: Console):
        self.driver = driver
        self.console = console
        self.url = f"http://127.0.0.1:{console.port}/"

    def open(self, page: str = "", size: tuple[int, int] = WIDE, dark: bool = False) -> None:
        """Load a page anew."""
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}#{page}")
        wait_for(lambda: self.all("main"))

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def one(self, selector: str) -> Any:
        """The first element, once it is there."""
        return wait_for(lambda: self.all(selector))[0]

    def labelled(self, selector: str, text: str) -> Any:
        """The element with a text, once it is there."""
        return wait_for(lambda: next((e for e in self._shown(selector) if e.text == text), None))

    def _shown(self, selector: str) -> list[Any]:
        return [element for element in self.all(selector) if element.is_displayed()]

    def click(self, text: str) -> None:
        """Press a button."""
        self._again(lambda: self.labelled("button", text).click())

    def press(self, *keys: str) -> None:
        """Type to whatever has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def text(self, selector: str = "body") -> str:
        return self._again(lambda: self.one(selector).text)

    def _again(self, action: Callable[[], Any]) -> Any:
        """Do it once more if the page was drawn anew in between."""
        from selenium.common.exceptions import StaleElementReferenceException

        for _ in range(20):
            try:
                return action()
            except StaleElementReferenceException:
                continue
        return action()

    def script(self, code: str) -> Any:
        return self.driver.execute_script(code)

    def complaints(self) -> list[str]:
        """What the browser has to say against the pages: errors, and what the policy forbids."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            # Refused logins are told as well.
            if entry["level"] == "SEVERE" and " 401 " not in entry["message"]
        ]


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    require("chromium", "chromium")
    require("chromedriver", "chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.fixture
def client(console: Console) -> Iterator[Client]:
    client = console.client()
    client.call("FLUSHALL")
    client.call("HSET", "user:1:profile", "name", "Anna", "city", "Lyon")
    client.call("SET", "user:1:visits", "41")
    client.call("RPUSH", "queue", "a", "b")
    yield client
    client.close()


@pytest.fixture
def screen(driver: Any, console: Console, client: Client) -> Iterator[Screen]:
    screen = Screen(driver, console)
    yield screen
    assert screen.complaints() == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_fits_and_is_legible(screen: Screen, size: tuple[int, int], dark: bool) -> None:
    screen.open("overview", size, dark)
    for page in PAGES:
        screen.script(f"location.hash = '{page}'")
        current = wait_for(lambda: screen.all("nav a[aria-current=page]"))[0]
        assert current.get_attribute("href").endswith(f"#{page}")
        wait_for(lambda: len(screen.text("main")) > 20)
        # Nothing but tables is wider than the screen.
        assert screen.script("return document.documentElement.scrollWidth") <= size[0]
        assert (
            screen.script(
                "const m = document.querySelector('main'); return m.scrollWidth - m.clientWidth"
            )
            <= 0
        ), page
        back, text = screen.script(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
        )
        assert (_brightness(back) < _brightness(text)) is dark


def _brightness(colour: str) -> int:
    return sum(int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])


def test_controls_have_names(screen: Screen) -> None:
    screen.open("overview")
    for page in PAGES:
        screen.script(f"location.hash = '{page}'")
        wait_for(lambda: len(screen.text("main")) > 20)
        nameless = screen.script(
            """return [...document.querySelectorAll("button, input, select, textarea, [role=img]")]
            .filter((e) => !(
                e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length))
            .map((e) => e.outerHTML)"""
        )
        assert nameless == [], page


def test_figures_are_drawn(screen: Screen, client: Client) -> None:
    screen.open("overview")

    def drawn() -> bool:
        for _ in range(20):
            client.call("GET", "user:1:visits")
        path = screen.script("return document.querySelector('path.line')?.getAttribute('d') ?? ''")
        return path.count("L") >= 2

    wait_for(drawn)
    assert len(screen.all("svg.chart")) == 8
    assert "commands" in screen.one("svg.chart").get_attribute("aria-label")
    wait_for(lambda: "get" in screen.text("main table"))


def test_a_key_is_found_edited_and_deleted_by_keyboard(screen: Screen, client: Client) -> None:
    from selenium.webdriver.common.keys import Keys

    screen.open("keys")
    wait_for(lambda: len(screen.all("[role=treeitem]")) == 4)
    screen.press("/", "visits")
    wait_for(lambda: len(screen.all("[role=treeitem]")) == 2)
    screen.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    assert screen.text(".value-head h2") == "user:1:visits"
    area = screen.one("textarea.value")
    assert area.get_attribute("value") == "41"
    area.clear()
    area.send_keys("42")
    area.send_keys(Keys.CONTROL, "s")
    wait_for(lambda: client.call("GET", "user:1:visits") == b"42")
    screen.click("Delete")
    screen.labelled("dialog button", "Delete").click()
    wait_for(lambda: client.call("EXISTS", "user:1:visits") == 0)
    wait_for(lambda: "No key matches." in screen.text(".tree") or not screen.all("[role=treeitem]"))


def test_a_field_is_edited(screen: Screen, client: Client) -> None:
    screen.open("keys")
    screen.labelled("[role=treeitem] .name", "profile").click()
    wait_for(lambda: "Anna" in screen.text(".pane.value"))
    screen.one("button[aria-label='Edit name']").click()
    area = screen.one("dialog textarea")
    area.clear()
    area.send_keys("Berta <b>&")
    screen.click("Save")
    wait_for(lambda: client.call("HGET", "user:1:profile", "name") == b"Berta <b>&")
    wait_for(lambda: "Berta <b>&" in screen.text(".pane.value"))


def test_what_is_in_values_is_never_markup(screen: Screen, client: Client) -> None:
    evil = "<img src=x onerror='document.title=1'><script>document.title=2</script>"
    client.call("SET", evil, evil)
    client.call("HSET", f"{evil}h", evil, evil)
    screen.open("keys")
    screen.one("[role=treeitem][title^='<img'][title$='>h']").click()
    wait_for(lambda: evil in screen.text(".pane.value"))
    assert screen.all("img[src=x]") == []
    assert screen.driver.title.startswith("Keys")


def test_a_key_is_made(screen: Screen, client: Client) -> None:
    screen.open("keys")
    wait_for(lambda: screen.all("[role=treeitem]"))
    screen.press("n")
    screen.one("dialog input[name=key]").send_keys("made:here")
    screen.one("dialog textarea").send_keys("a value")
    screen.one("dialog input[name=ttl]").send_keys("100")
    screen.click("Make it")
    wait_for(lambda: client.call("GET", "made:here") == b"a value")
    assert 0 < client.call("TTL", "made:here") <= 100
    wait_for(lambda: screen.text(".value-head h2") == "made:here")


def test_the_command_line_completes_and_remembers(screen: Screen, client: Client) -> None:
    from selenium.webdriver.common.keys import Keys

    screen.open("terminal")
    line = screen.one("#line")
    line.send_keys("hgeta")
    wait_for(lambda: screen.text(".offers") == "HGETALL")
    line.send_keys(Keys.TAB)
    wait_for(lambda: screen.text(".hint").startswith("HGETALL key"))
    line.send_keys("user:1:profile", Keys.ENTER)
    wait_for(lambda: '1) "name"\n2) "Anna"' in screen.text(".output"))
    line.send_keys(Keys.ARROW_UP)
    assert line.get_attribute("value") == "HGETALL user:1:profile"
    line.clear()
    line.send_keys("FLUSHALL", Keys.ENTER)
    screen.labelled("dialog button", "Cancel").click()
    assert client.call("DBSIZE") == 3


def test_a_command_runs_while_another_is_typed(screen: Screen, client: Client) -> None:
    from selenium.webdriver.common.keys import Keys

    screen.open("terminal", NARROW)
    screen.one("#line")
    screen.press("BLPOP nothing 0", Keys.ENTER)
    wait_for(lambda: "running…" in screen.text(".output"))
    screen.press("RPUSH nothing a", Keys.ENTER)
    wait_for(lambda: "(integer) 1" in screen.text(".output"))
    wait_for(lambda: '2) "a"' in screen.text(".output"))
    assert "running…" not in screen.text(".output")
    # What was typed last is in sight, however long the hint is.
    screen.press("SET ")
    wait_for(lambda: "KEEPTTL" in screen.text(".hint"))
    hidden = "const o = document.querySelector('.output'); "
    hidden += "return o.scrollHeight - o.clientHeight - o.scrollTop"
    assert wait_for(lambda: abs(screen.script(hidden)) <= 1)


def test_slow_commands_are_in_sight_on_a_small_screen(screen: Screen, client: Client) -> None:
    client.call("DEBUG", "SLEEP", "0.02")
    screen.open("slow", NARROW)
    wait_for(lambda: "DEBUG SLEEP 0.02" in screen.text("main"))
    code = "return document.querySelector('td.data').getBoundingClientRect().right"
    assert screen.script(code) <= NARROW[0]


def test_messages_come(screen: Screen, client: Client) -> None:
    screen.open("messages")
    screen.click("Listen")
    wait_for(lambda: client.call("PUBLISH", "news", "it rains"))
    wait_for(lambda: "it rains" in screen.text(".lines"))
    screen.click("Stop")
    wait_for(lambda: client.call("PUBLISH", "news", "it rains") == 0)


def test_a_directive_is_changed(screen: Screen, client: Client) -> None:
    screen.open("settings")
    wait_for(lambda: screen.all(".settings dt"))
    screen.press("/", "maxmemory-samples")
    wait_for(lambda: len(screen.all(".settings dt")) == 1)
    screen.one("button.given").click()
    field = screen.one("dialog input")
    field.clear()
    field.send_keys("7")
    screen.click("Set")
    wait_for(lambda: client.call("CONFIG", "GET", "maxmemory-samples")[1] == b"7")
    wait_for(lambda: "changed" in screen.text(".settings"))


def test_numbers_go_to_pages_and_a_question_mark_helps(screen: Screen) -> None:
    from selenium.webdriver.common.keys import Keys

    screen.open("overview")
    screen.press("5")
    wait_for(lambda: screen.text("h1") == "Clients")
    screen.press("?")
    wait_for(lambda: "Shortcuts" in screen.text("dialog"))
    screen.press(Keys.ESCAPE)
    wait_for(lambda: not screen.all("dialog"))
    screen.press("t", "t")
    assert screen.script("return document.documentElement.dataset.theme") == "dark"
    screen.press("t")


def test_login_and_logout(driver: Any, start: StartConsole) -> None:
    from selenium.webdriver.common.keys import Keys

    console = start("--requirepass", "sesame")
    screen = Screen(driver, console)
    screen.open("keys")
    password = screen.one("input[type=password]")
    password.send_keys("wrong", Keys.ENTER)
    wait_for(lambda: "WRONGPASS" in screen.text(".login"))
    password = screen.one("input[type=password]")
    password.clear()
    password.send_keys("sesame", Keys.ENTER)
    wait_for(lambda: screen.all("nav a[aria-current=page]"))
    assert screen.driver.title.startswith("Keys · 127.0.0.1:")
    assert screen.script("return document.cookie") == ""
    screen.click("Log out")
    wait_for(lambda: screen.all("input[type=password]"))
    assert screen.complaints() == []
