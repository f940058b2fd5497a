"""The report's page, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from boto_matrix.report.model import Report
from boto_matrix.report.page import page
from boto_matrix.results.model import Outcome, RunResult
from tests.boto_matrix.browser import Browser, chromium
from tests.boto_matrix.made_results import FAILED, STARTED, cell, changed, failed, grid, one_set, run, sets
from tests.boto_matrix.test_report import EVIL, evil_run

BAD, NONE, LEFT = "py311-boto1.3", "py38-boto1.2", "py39-boto1.2"
DETAIL = "    assert 1 == 2\nE   AssertionError: it is not so"
PINS, PYTHONS = 5, 6


def tonight() -> RunResult:
    """Five pins on six Pythons, in which one cell failed, one could not be installed, and one was not run."""
    outcome = sets(redirects_patched=one_set(FAILED, tests=["test_odd"], detail=DETAIL))
    return changed(
        grid(PINS),
        {
            BAD: cell(BAD, boto3="1.3.3", outcome=Outcome.FAILED, reason="test_odd in redirects_patched", sets=outcome),
            NONE: cell(NONE, boto3="1.2.2", outcome=Outcome.INSTALL_FAILED, reason="no such release"),
            LEFT: cell(LEFT, boto3="1.2.2", outcome=Outcome.NOT_RUN),
        },
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    before = changed(grid(PINS), {}, started=STARTED - timedelta(days=1))
    path.write_text(page(Report(tonight(), before)), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Browser, written: Path) -> Iterator[Browser]:
    browser.open(written)
    yield browser
    assert browser.console() == []
    browser.emulate()


def write(result: RunResult, folder: Path) -> Path:
    path = folder / "report.html"
    path.write_text(page(Report(result)), encoding="utf-8")
    return path


def visible_cells(browser: Browser) -> list[str]:
    visible = "#grid tr:not([hidden]) td[data-cell]:not(.dim)"
    names: list[str] = browser.run(f"return [...document.querySelectorAll('{visible}')].map(td => td.dataset.cell)")
    return names


def focus(browser: Browser, name: str) -> None:
    browser.run("document.querySelector(`#grid [data-cell='${arguments[0]}']`).focus()", name)


def search(browser: Browser, text: str) -> None:
    box = browser.find("#search")
    box.clear()
    box.send_keys(text)
    box.send_keys(Keys.ENTER)  # at once, and not when the typing has stopped


# Opening it


def test_page_asks_for_nothing_but_itself(opened: Browser, written: Path) -> None:
    assert [url for url in opened.requests() if not url.startswith("data:")] == [written.as_uri()]


def test_failures_and_changes_come_before_the_matrix(opened: Browser) -> None:
    titles = [title.text for title in opened.all("main h2") if title.is_displayed()]
    assert titles[0] == "Failing"
    assert titles[1].startswith("Since 22 November 2026")
    assert titles[2] == "Matrix"
    assert opened.text("h1") == "2 of 29 cells fail"


def test_each_outcome_has_a_shape_of_its_own(opened: Browser) -> None:
    shapes = opened.run("""
        return [...document.querySelectorAll('.legend li > i')].map(mark => {
            const style = getComputedStyle(mark);
            return [style.clipPath, style.borderRadius, style.borderTopWidth, style.scale].join();
        });
    """)
    assert len(shapes) == len(set(shapes)) == 5


def test_contrast_of_text_is_enough_in_light_and_dark(opened: Browser) -> None:
    for scheme in ("light", "dark"):
        opened.emulate(prefers_color_scheme=scheme)
        low = opened.run("""
            const luminance = (colour) => {
                const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(c => c / 255)
                    .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
                return .2126 * r + .7152 * g + .0722 * b;
            };
            const behind = (element) => {
                for (; element; element = element.parentElement) {
                    const colour = getComputedStyle(element).backgroundColor;
                    if (!colour.endsWith(", 0)") && colour !== "transparent") return colour;
                }
            };
            const low = [];
            for (const element of document.querySelectorAll("body *")) {
                const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
                if (!hasText || !element.checkVisibility()) continue;
                const [one, other] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
                const contrast = (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
                if (contrast < 4.5) low.push([element.className, element.textContent.slice(0, 30), contrast]);
            }
            return low;
        """)  # 4.5 : 1 is what WCAG 2.2 asks for at level AA, 1.4.3
        assert low == [], scheme


# By keyboard


def test_one_press_of_tab_leads_into_the_grid_and_one_out_of_it(opened: Browser) -> None:
    assert opened.run("return document.querySelectorAll('#grid [tabindex=\"0\"]').length") == 1


def test_arrows_go_from_cell_to_cell(opened: Browser) -> None:
    focus(opened, "py39-boto1.4")
    went = []
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.ARROW_UP):
        opened.press(key)
        went.append(opened.focused_cell())
    assert went == ["py310-boto1.4", "py310-boto1.3", "py39-boto1.3", "py39-boto1.4"]


def test_home_and_end_go_to_the_ends(opened: Browser) -> None:
    focus(opened, "py310-boto1.4")
    opened.press(Keys.END)
    assert opened.focused_cell() == "py313-boto1.4"
    opened.press(Keys.HOME)
    assert opened.focused_cell() == "py38-boto1.4"
    opened.press_with_control(Keys.END)
    assert opened.focused_cell() == "py313-boto1.1"
    opened.press_with_control(Keys.HOME)
    assert opened.focused_cell() == "py38-boto1.5"


def test_focus_is_seen(opened: Browser) -> None:
    focus(opened, BAD)
    style = opened.run("const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]")
    assert style == ["solid", "2px"]


def test_grid_says_what_it_is_to_those_who_do_not_see_it(opened: Browser) -> None:
    tree = opened.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if "role" in node]
    assert ("grid", "Cells: pins down, Pythons across") in found
    assert ("gridcell", "boto3 1.3.3, Python 3.11: failed in redirects_patched, broke") in found
    assert ("columnheader", "3.11") in found
    assert ("rowheader", "1.3.3") in found
    assert ("searchbox", "Search cells") in found


def test_enter_opens_a_cell_and_escape_leads_back_to_it(opened: Browser) -> None:
    focus(opened, BAD)
    opened.press(Keys.ENTER)
    assert opened.text("#cell-name") == BAD
    opened.press(Keys.ESCAPE)
    opened.wait("!document.querySelector('dialog').open")
    opened.wait(f"document.activeElement.dataset.cell === '{BAD}'")


def test_slash_leads_to_the_search(opened: Browser) -> None:
    opened.press("/")
    assert opened.run("return document.activeElement.id") == "search"
    assert opened.find("#search").get_property("value") == ""


# A cell, opened


def test_cell_that_is_clicked_shows_its_facts(opened: Browser) -> None:
    opened.find(f"[data-cell='{BAD}']").click()
    told = opened.text("dialog")
    assert "At fault: the patch" in told
    assert "test_odd in redirects_patched" in told
    assert f"make matrix CELLS={BAD}" in told
    assert "AssertionError: it is not so" in told
    assert "moto\n5.2.5" in told
    assert "Python\n3.11.7" in told
    assert "install 0.75 s · tests 3.50 s" in told
    assert "broke since 2026-11-22" in told


def test_cell_that_passed_shows_its_sets(opened: Browser) -> None:
    opened.find("[data-cell='py38-boto1.1']").click()
    rows = [row.text for row in opened.all("dialog tbody tr")]
    assert rows[0] == "noredirect_unpatched passed 3 of 3 1.25 s 0.75 s"
    assert len(rows) == 4


def test_cell_shows_what_another_one_ran_for_it(browser: Browser, tmp_path: Path) -> None:
    newest = cell("py311-boto1.26", boto3="1.26.24", sets=sets(scale=one_set()))
    left = cell("py311-boto1.25", boto3="1.25.5", covered_by={"scale": newest.name, "patching": "py311-boto1.27"})
    browser.open(write(run(newest, left), tmp_path), at=f"#{left.name}")
    rows = [row.text for row in browser.all("dialog tbody tr")]
    assert rows[4:] == ["scale passed, covered by py311-boto1.26", "patching not run, covered by py311-boto1.27"]
    assert "1 cell has left scale, patching to the newest of its class" in browser.text("body")
    assert browser.console() == []


def test_address_opens_a_cell(browser: Browser, written: Path) -> None:
    browser.open(written, at=f"#{BAD}")
    assert browser.text("#cell-name") == BAD


def test_address_that_is_no_cell_opens_nothing(browser: Browser, written: Path) -> None:
    for at in ("#nothing", "#%", "#%E0%A4%A", "#grid"):
        browser.open(written, at=at)
        assert not browser.find("dialog").is_displayed()
        assert browser.console() == []


def test_name_of_a_failing_cell_opens_it(opened: Browser) -> None:
    opened.find(f".group a[href='#{BAD}']").click()
    opened.wait("document.querySelector('dialog').open")
    assert opened.text("#cell-name") == BAD


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_command_is_copied(opened: Browser, *, has_clipboard: bool) -> None:
    opened.driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    opened.find(f"[data-cell='{BAD}']").click()
    if not has_clipboard:
        opened.run("navigator.clipboard.writeText = () => Promise.reject(new Error('not here'))")
    opened.find("dialog .copy").click()
    opened.wait("document.querySelector('dialog .copy').textContent === 'Copied'")
    opened.press(Keys.ESCAPE)
    opened.wait(f"document.activeElement.dataset.cell === '{BAD}'")
    opened.press("/")
    opened.press_with_control("v")
    opened.wait(f"document.getElementById('search').value === 'make matrix CELLS={BAD}'")


# Search and filter


def test_search_finds_by_pin_python_package_outcome_and_test(opened: Browser) -> None:
    for text, expected in [
        ("test_odd", [BAD]),
        ("py311 1.3.3", [BAD]),
        ("at fault: the patch", [BAD]),
        ('"install failed"', [NONE]),
        ("PYTHON 3.8 boto1.4", ["py38-boto1.4"]),
        ("moto 5.2.4", []),
    ]:
        search(opened, text)
        assert visible_cells(opened) == expected, text
    assert opened.find("#none").is_displayed()


def test_filter_shows_what_is_asked_for_and_counts_it(opened: Browser) -> None:
    for value, expected in [
        ("failing", [BAD, NONE]),
        ("changed", [BAD, NONE, LEFT]),
        ("left-out", [LEFT]),
    ]:
        opened.find(f"input[value='{value}']").click()
        assert visible_cells(opened) == expected
        assert opened.text("#count") == f"{len(expected)} of {PINS * PYTHONS} cells"
    opened.find("input[value='all']").click()
    assert opened.text("#count") == f"{PINS * PYTHONS} cells"
    assert len(visible_cells(opened)) == PINS * PYTHONS


def test_search_that_finds_nothing_can_be_taken_back(opened: Browser) -> None:
    search(opened, "there is no such cell")
    opened.find("#clear").click()
    assert len(visible_cells(opened)) == PINS * PYTHONS
    assert opened.run("return document.querySelectorAll('#grid [tabindex=\"0\"]').length") == 1


def test_arrows_pass_over_what_is_filtered_out(opened: Browser) -> None:
    opened.find("input[value='changed']").click()
    focus(opened, BAD)
    opened.press(Keys.ARROW_RIGHT)
    assert opened.focused_cell() == BAD
    opened.press(Keys.ARROW_DOWN)
    assert opened.focused_cell() == BAD
    focus(opened, NONE)
    opened.press(Keys.ARROW_RIGHT)
    assert opened.focused_cell() == LEFT


# Elsewhere


@pytest.mark.parametrize("width", [320, 390, 768])
def test_no_screen_is_too_narrow(browser: Browser, written: Path, width: int) -> None:
    browser.open(written, width=width, height=844)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.find(f"[data-cell='{BAD}']").click()
    assert browser.run("return document.querySelector('dialog').scrollWidth") <= width


def test_phone_shows_all_pythons_at_once(browser: Browser, written: Path) -> None:
    browser.open(written, width=390, height=844)
    assert browser.run("const box = document.querySelector('.scroll'); return box.scrollWidth <= box.clientWidth")


def test_text_from_outside_stays_text(browser: Browser, tmp_path: Path) -> None:
    browser.open(write(evil_run(EVIL), tmp_path))
    browser.find("#grid td[data-cell]").click()
    assert browser.text("#cell-name").startswith("py311-boto1.44<script>")
    assert EVIL in browser.text("dialog")
    browser.run("document.querySelectorAll('dialog details').forEach(one => one.open = true)")
    browser.wait("document.querySelectorAll('dialog pre').length >= 2")
    assert browser.run("return document.querySelectorAll('script').length") == 2
    assert browser.console() == []


def test_policy_refuses_a_script_that_slipped_in(browser: Browser, written: Path, tmp_path: Path) -> None:
    path = tmp_path / "spoiled.html"
    path.write_text(written.read_text().replace("<main>", "<main><script>document.title = 'spoiled'</script>", 1))
    browser.open(path)
    assert browser.driver.title != "spoiled"
    assert any("Content Security Policy" in message for message in browser.console())


def test_run_without_cells_has_a_page_too(browser: Browser, tmp_path: Path) -> None:
    browser.open(write(run(), tmp_path))
    assert browser.text("h1") == "No cell has run"
    assert browser.console() == []


def test_two_thousand_cells_can_be_searched_and_opened(browser: Browser, tmp_path: Path) -> None:
    browser.open(write(changed(grid(334), {BAD: failed(BAD, boto3="1.3.3")}), tmp_path))
    search(browser, "py311 1.3.3 failed")
    assert visible_cells(browser) == [BAD]
    browser.find(f"[data-cell='{BAD}']").click()
    assert browser.text("#cell-name") == BAD
    assert browser.console() == []
