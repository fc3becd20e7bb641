"""The report's page in a real Chromium; skipped where none is installed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parent))

from browser import Browser, find
from test_report_page import RUNS

from pile.report.costs import Costs, StageCost
from pile.report.page import render

COSTS = Costs((StageCost("mix", 1, 1, 10.0, 9.0, 10**6, 10**6, 5),), 0.05)
MODES = [
    (width, dark, name)
    for width in (1280, 768, 375)
    for dark in (False, True)
    for name in ("full", "hostile", "published", "empty")
]

CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const colour = value => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = value;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => top.slice(0, 3).map((c, n) => c * top[3] + below[n] * (1 - top[3]));
  const ground = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(colour(getComputedStyle(at).backgroundColor));
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const light = rgb => {
    const [r, g, b] = rgb.map(c => {
      c /= 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  const worst = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (["SCRIPT", "STYLE", "title"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const drawn = element.closest("svg");
    const tile = drawn && drawn.querySelector(":scope > rect[width='100%']");
    const behind = tile ? colour(getComputedStyle(tile).fill) : ground(element);
    const ink = colour(drawn ? style.fill : style.color);
    const found = ratio(over(ink, behind), behind);
    if (found < 4.5) worst.push([found.toFixed(2), element.outerHTML.slice(0, 90)]);
  }
  for (const drawing of document.querySelectorAll("svg [class]")) {
    if (!/^(kind|tint|fill|ring|mark)/.test(drawing.getAttribute("class"))) continue;
    if (!drawing.checkVisibility()) continue;
    const style = getComputedStyle(drawing);
    const paint = style.stroke !== "none" && drawing.tagName !== "rect" ? style.stroke : style.fill;
    const behind = ground(drawing.closest("div, li, td, section") ?? document.body);
    const found = ratio(over(colour(paint), behind), behind);
    if (found < 3) worst.push([found.toFixed(2), drawing.outerHTML.slice(0, 90)]);
  }
  return worst;
})()"""
"""Text that stands out from its ground by less than 4.5, and marks of charts by less than 3 (WCAG AA)."""

OVERFLOW = """document.documentElement.scrollWidth - document.documentElement.clientWidth"""

FOCUSABLE = """(() => {
  const named = "a[href], button, input, summary, [tabindex='0']";
  return [...document.querySelectorAll(named)].filter(one => one.checkVisibility()).length;
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this module."""
    path = find()
    if path is None:
        pytest.skip("no Chromium is installed; PILE_CHROMIUM may name one")
    with Browser(path) as opened:
        yield opened


def show(browser: Browser, folder: Path, name: str) -> None:
    """Open the page of a run from disk."""
    page = folder / "report.html"
    page.write_text(render(RUNS[name], COSTS), encoding="utf-8")
    browser.events.clear()
    browser.open(page)


@pytest.mark.parametrize("name", list(RUNS))
def test_the_page_is_quiet(browser: Browser, tmp_path: Path, name: str) -> None:
    """From file:// nothing else is asked for, and nothing is said on the console: hostile text neither."""
    browser.show(1280, 900)
    show(browser, tmp_path, name)
    asked = [one["request"]["url"] for one in browser.told("Network.requestWillBeSent")]
    assert asked == [(tmp_path / "report.html").as_uri()]
    for event in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
        assert browser.told(event) == []
    assert browser.told("Page.javascriptDialogOpening") == []
    assert browser.run("document.querySelectorAll('script').length") == 1


@pytest.mark.parametrize(("width", "dark", "name"), MODES)
def test_the_page_can_be_read(
    browser: Browser, tmp_path: Path, width: int, dark: bool, name: str
) -> None:
    """Nothing is wider than the window, and all text and every mark stands out from its ground."""
    browser.show(width, 800, dark=dark, phone=width < 500)
    show(browser, tmp_path, name)
    assert browser.run(OVERFLOW) == 0
    assert browser.run(CONTRAST) == []
    assert browser.run(OVERFLOW) == 0


def test_headings_stay_over_their_columns(browser: Browser, tmp_path: Path) -> None:
    """On a phone a table goes sideways under its first column, and so do the headings."""
    browser.show(375, 800, phone=True)
    show(browser, tmp_path, "published")
    browser.run("document.querySelector('#mix .box').scrollLeft = 200; 0")
    left = "document.querySelector('#mix {} th').getBoundingClientRect().left"
    assert browser.run(left.format("tbody")) == browser.run(left.format("thead"))
    on_top = (
        "(() => { const head = document.querySelector('#mix thead th');"
        "  head.scrollIntoView({block: 'center'}); const at = head.getBoundingClientRect();"
        "  return document.elementFromPoint(at.left + 9, at.bottom - 9).closest('th') === head; })()"
    )
    assert browser.run(on_top)


def test_faint_text_would_be_found(browser: Browser, tmp_path: Path) -> None:
    """The measure of contrast does tell: grey on white is too faint, as is white on a pale tile."""
    page = tmp_path / "faint.html"
    page.write_text(
        "<!doctype html><body><p style='color:#888'>faint</p><svg><rect width='100%' fill='#ddd'/>"
        "<text fill='#fff'>pale</text></svg><div><svg><rect class='fill' fill='#eee'/></svg></div>",
        encoding="utf-8",
    )
    browser.show(800, 600)
    browser.open(page)
    assert [ratio for ratio, _ in browser.run(CONTRAST)] == ["3.54", "1.36", "1.16"]


def test_the_keyboard_reaches_all(browser: Browser, tmp_path: Path) -> None:
    """Tab visits every link, heading that sorts, table, field and summary, each with a visible ring."""
    browser.show(1280, 900)
    show(browser, tmp_path, "full")
    count = browser.run(FOCUSABLE)
    browser.run("window.seen = new Set(); window.ringless = []; 0")
    for _ in range(count):
        browser.press("Tab")
        browser.run(
            "seen.add(document.activeElement);"
            "if (getComputedStyle(document.activeElement).outlineStyle === 'none')"
            "  ringless.push(document.activeElement.outerHTML.slice(0, 80)); 0"
        )
    assert count > 60
    assert browser.run("seen.size") == count
    assert browser.run("ringless") == []


def test_the_first_tab_skips_to_the_figures(browser: Browser, tmp_path: Path) -> None:
    """Who reads by keyboard need not pass the contents."""
    browser.show(1280, 900)
    show(browser, tmp_path, "full")
    browser.press("Tab")
    assert browser.run("document.activeElement.textContent") == "Skip to the figures"
    assert browser.run("document.activeElement.getBoundingClientRect().left >= 0")
    browser.press("Enter")
    assert browser.run("location.hash") == "#main"


def test_samples_are_searched(browser: Browser, tmp_path: Path) -> None:
    """Typing shows the documents that have the words, across tokens, and opens their source."""
    browser.show(375, 800, phone=True)
    show(browser, tmp_path, "full")
    shown = (
        "[...document.querySelectorAll('#samples article')].filter(a => a.checkVisibility()).length"
    )
    assert browser.run(shown) == 0
    browser.run("document.getElementById('search').focus()")
    for letter in "UPON A":
        browser.press(letter, letter)
    wait = "new Promise(done => setTimeout(() => done(document.getElementById('hits').textContent), 400))"
    assert browser.run(wait) == "1 of 1 document"
    assert browser.run(shown) == 1
    assert browser.run("[...CSS.highlights.get('hit')].map(String).join()") == "upon a"
    for letter in "zz":
        browser.press(letter, letter)
    assert browser.run(wait) == "0 of 1 document"
    assert browser.run(shown) == 0


def test_tables_sort_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    """Enter on a heading sorts, once more turns the order round, and it is said aloud."""
    browser.show(1280, 900)
    show(browser, tmp_path, "published")
    first = "document.querySelector('#mix tbody th').textContent"
    browser.run("document.querySelector('#mix th[data-column=\"8\"] button').focus()")
    browser.press("Enter")
    assert browser.run(first) == "Enron Emails"
    sort = "document.querySelector('#mix th[data-column=\"8\"]').getAttribute('aria-sort')"
    assert browser.run(sort) == "descending"
    browser.press("Enter")
    assert browser.run(first) == "Pile-CC"
    assert browser.run(sort) == "ascending"


def test_colours_can_be_switched_off(browser: Browser, tmp_path: Path) -> None:
    """The grounds of tokens go with a space on the switch."""
    browser.show(1280, 900)
    show(browser, tmp_path, "full")
    ground = "getComputedStyle(document.querySelector('#samples pre i')).backgroundColor"
    assert browser.run(ground) != "rgba(0, 0, 0, 0)"
    browser.run("document.getElementById('coloured').focus()")
    browser.press(" ")
    assert browser.run(ground) == "rgba(0, 0, 0, 0)"
