"""The report in a real browser: opened from disk, without a network, as people open it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.wiring.report import render_all
from tests.builders.run_directory import clean_content, defective_content, write_run

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: install the package `chromium`"),
    pytest.mark.xdist_group("browser"),
]


@dataclass
class Opened:
    """A page and what went wrong on it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("runs")
    written = {"go": clean_content(), "no-go": defective_content()}
    for name, content in written.items():
        render_all(write_run(root / name, content), ["html"])
    return {name: (root / name / "report.html").as_uri() for name in written}


_TABLES_TOO_WIDE = """
[...document.querySelectorAll("table")]
    .filter(table => table.getBoundingClientRect().right > table.parentElement.getBoundingClientRect().right + 1)
    .map(table => table.className)
"""


def open_report(browser: Browser, uri: str, *, width: int = 1366, height: int = 768, scripts: bool = True) -> Opened:
    context = browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=scripts, offline=True
    )
    opened = Opened(page=context.new_page())
    opened.page.on("console", lambda message: opened.complaints.append(message.text))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("dialog", lambda dialog: opened.complaints.append(f"dialog {dialog.message}"))
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto(uri)
    return opened


def bottom_of(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"] + box["height"]


@pytest.mark.parametrize("name", ["go", "no-go"])
def test_it_opens_without_a_complaint_or_a_request(browser: Browser, reports: dict[str, str], name: str) -> None:
    opened = open_report(browser, reports[name])
    assert opened.complaints == []
    assert opened.requests == [reports[name]]


@pytest.mark.parametrize("name", ["go", "no-go"])
def test_what_decides_is_on_the_first_screen_of_a_laptop(browser: Browser, reports: dict[str, str], name: str) -> None:
    page = open_report(browser, reports[name]).page
    for selector in ("h1", ".why", ".meta", ".left-out", ".strip", ".headlines", ".benchmarks"):
        assert bottom_of(page, selector) <= 768, selector


@pytest.mark.parametrize("width", [320, 390, 690, 768, 1200, 1366])
def test_no_width_scrolls_sideways(browser: Browser, reports: dict[str, str], width: int) -> None:
    page = open_report(browser, reports["no-go"], width=width, height=844).page
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_TABLES_TOO_WIDE) == []


def test_search_and_keys_work(browser: Browser, reports: dict[str, str]) -> None:
    page = open_report(browser, reports["no-go"]).page
    page.keyboard.press("/")
    page.keyboard.type("2025-11-04T00")
    assert page.locator("article.finding:visible").count() == 1
    assert page.locator("#matches").inner_text().startswith("1 of ")
    page.keyboard.press("Escape")
    assert page.locator("#matches").inner_text() == ""
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.id") == "signature-1"


def test_the_filter_shows_only_that_verdict(browser: Browser, reports: dict[str, str]) -> None:
    page = open_report(browser, reports["no-go"]).page
    page.select_option("#verdict", "pass")
    verdicts = page.eval_on_selector_all(
        "[data-item]:not([hidden])", "items => [...new Set(items.map(item => item.dataset.verdict))]"
    )
    assert verdicts == ["pass"]


def test_a_blocker_leads_to_its_evidence(browser: Browser, reports: dict[str, str]) -> None:
    page = open_report(browser, reports["no-go"]).page
    page.locator(".blockers a", has_text="P4.trades.parity").click()
    assert page.locator("#signature-1").is_visible()
    assert page.evaluate("location.hash") == "#signature-1"


def test_it_reads_without_scripts(browser: Browser, reports: dict[str, str]) -> None:
    page = open_report(browser, reports["no-go"], scripts=False).page
    assert page.locator("h1").inner_text().startswith("NO-GO")
    assert page.locator("article.finding").first.is_visible()
    assert not page.locator(".search").is_visible()


def test_colours_have_enough_contrast_in_light_and_dark(browser: Browser, reports: dict[str, str]) -> None:
    page = open_report(browser, reports["no-go"]).page
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate(_POOR_CONTRAST) == [], scheme


_POOR_CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const channel = (value) => linear(value / 255);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const selectors = ["h1", ".why", ".meta dt", ".left-out", ".strip .badge", ".strip .quiet", "a", ".badge",
    "mark", ".gap", ".absent", ".example", "th small", ".legend li", ".quiet", ".empty"];
  const poor = [];
  for (const element of document.querySelectorAll(selectors.join(","))) {
    const colours = [parse(getComputedStyle(element).color), background(element)];
    const pair = colours.map(luminance).sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
}"""
