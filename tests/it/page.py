#!/usr/bin/env python3
"""page - the status page in a real browser (Chromium), on a sluice with 200 simulated devices.

120 of them go to a file that is a named pipe, whose reader stops and goes on: their bars fill up with
what is held, the page says who is held by what, and everything comes back. The rest goes to the null
sink, and is not held. Sorting, filtering, the page of a target, both themes, the token; axe-core finds nothing serious in either theme, the console stays empty, and
nothing is asked of any other origin. Screenshots are kept in the build folder, under page/.
"""
import os
import re
import threading

from harness import check, note, part, run

from browser import Browser
from collector import Collector, subscription
from devices import Devices

DEVICES, PIPED = 200, 120
MOST_ROWS = 100  # elements, of however many rows
TOKEN = "page-token-of-the-test-0123456789"

SHARE = """(name) => {
    const rows = [...document.querySelectorAll('#streams tbody:not([aria-hidden]) tr')];
    const row = rows.find((one) => one.querySelector('a').textContent === name);
    const width = (part) => row.querySelector(`.credit ${part}`).getBoundingClientRect().width;
    return width('.held') / row.querySelector('.credit').getBoundingClientRect().width;
}"""
HEADLINE = "(text) => document.querySelector('h1').textContent.includes(text)"
SHOWN = "(text) => document.getElementById('shown').textContent === text"
NAMES = "#streams tbody:not([aria-hidden]) .name"


class Tap:
    """A named pipe that is read while it is open."""

    def __init__(self, lab):
        self.path = lab.path("tap")
        os.mkfifo(self.path)
        self.reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.is_open = threading.Event()
        self.is_over = threading.Event()
        self.is_open.set()
        self.thread = threading.Thread(target=self.drain, daemon=True)
        self.thread.start()
        lab.on_end(self.end)

    def drain(self):
        while not self.is_over.is_set():
            self.is_open.wait()
            try:
                data = os.read(self.reader, 1 << 20)
            except BlockingIOError:
                data = b""
            if not data:
                self.is_over.wait(0.02)

    def end(self):
        self.is_over.set()
        self.is_open.set()
        self.thread.join()
        os.close(self.reader)


def sort_by(tab, title, key=None):
    """By the mouse, or by a key on the head of the column. What aria-sort says then."""
    head = tab.page.locator("#streams th").filter(has_text=title)
    if key:
        head.locator("button").focus()
        tab.page.keyboard.press(key)
    else:
        head.locator("button").click()
    return head.get_attribute("aria-sort")


def fill_filter(tab, text, shown):
    tab.page.fill("#filter", text)
    tab.until(SHOWN, f"'{shown}' shown for '{text}'", shown)


# ---- the parts ----

def first_look(tab):
    answer = tab.page.goto("/")
    policy = answer.headers["content-security-policy"]
    check("default-src 'none'" in policy and "unsafe" not in policy, "a policy without exceptions")
    tab.until(HEADLINE, "flowing", "Everything is flowing.")
    tab.until(SHOWN, "200 rows", str(DEVICES))
    check(tab.page.get_attribute("#streams table", "aria-rowcount") == str(DEVICES + 1),
          "the table says how many rows it has")
    rows = tab.page.locator(NAMES).count()
    check(0 < rows < MOST_ROWS, f"{rows} of {DEVICES} rows are elements")
    tab.until("() => /^[\\d.,]+( k)?\\/s$/.test(document.querySelector('.tile .value').textContent)",
              "a rate")
    check(len(tab.texts(".tile canvas")) == 6 and len(tab.texts(".sink")) == 2,
          "six totals with lines, and two sinks")
    check(tab.page.evaluate(SHARE, "dev1") < 0.5, "a bar has little held while all flows")


def stalled(tab):
    tab.until(HEADLINE, f"{PIPED} held", f"{PIPED} of {DEVICES} streams are held.")
    reason = tab.text("#reasons li")
    check(f"{PIPED} streams held by sink pipe" in reason, f"who is held by what: {reason!r}")
    tab.until(f"(name) => ({SHARE})(name) > 0.5", "a bar that is mostly held", "dev1")
    check(True, "credit bars move: more than half of dev1's is held")
    label = tab.page.locator("#streams .credit").first.get_attribute("aria-label")
    check(re.fullmatch(r"granted .*B, held [1-9].*B, free .*B of 64.0 KiB", label), f"in words: {label}")
    check("held" in tab.text("#streams .chip"), "held streams come first")
    tab.page.locator("#reasons button").first.click()
    tab.until(SHOWN, "the held ones", f"{PIPED} of {DEVICES}")
    check(True, "a reason shows its streams")
    fill_filter(tab, "", str(DEVICES))


def pictured(tab, name, selector):
    """Both themes, looked at by axe-core, and pictures of each width."""
    for theme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=theme)
        for width, height in ((400, 800), (1280, 800), (1920, 1080)):
            tab.shoot(f"{name}-{width}-{theme}", width, height, whole=width == 400)
            wide = tab.page.evaluate("() => document.documentElement.scrollWidth")
            check(wide <= width, f"{name}: nothing is wider than {width}")
            check(tab.page.locator(selector).first.is_visible(), f"{name}: {selector} is seen at {width}")
        tab.page.set_viewport_size({"width": 1280, "height": 800})
        check(not (faults := tab.faults()), f"{name}, {theme}: axe-core finds nothing serious {faults or ''}")
    tab.page.emulate_media(color_scheme="light")


def flowing_again(tab):
    tab.until(HEADLINE, "flowing again", "Everything is flowing.")
    tab.until(f"(name) => ({SHARE})(name) < 0.5", "a bar that is empty again", "dev1")
    check(True, "credit comes back, and the bars with it")


def sorted_rows(tab):
    check(sort_by(tab, "Stream") == "ascending" and tab.texts(NAMES)[:3] == ["dev1", "dev2", "dev3"],
          "sorted by name, numbers as numbers")
    check(sort_by(tab, "Stream", "Enter") == "descending" and tab.texts(NAMES)[0] == f"dev{DEVICES}",
          "by a key, the other way round")
    check(sort_by(tab, "Blocked", "Space") == "descending", "by what was blocked most")
    blocked = tab.texts(NAMES)
    check(all(int(name[3:]) <= PIPED for name in blocked[:10]), f"held ones are on top: {blocked[:3]}")
    one = tab.page.locator("#streams th[aria-sort='ascending'], #streams th[aria-sort='descending']").count()
    check(one == 1, "one column says that it is sorted by")
    tab.page.reload()
    tab.until(SHOWN, "200 rows", str(DEVICES))
    check(tab.page.locator("#streams th").filter(has_text="Blocked").get_attribute("aria-sort")
          == "descending", "the order is in the address")
    sort_by(tab, "Stream")
    tab.page.evaluate("() => { const box = document.getElementById('streams'); box.scrollTop = box.scrollHeight; }")
    tab.until("(name) => [...document.querySelectorAll('#streams .name')].some((one) => one.textContent === name)",
              "the last row", f"dev{DEVICES}")
    check(tab.page.locator(NAMES).count() < MOST_ROWS, "at the end of the table few rows are elements")


def filtered_rows(tab):
    tab.page.locator("h1").click()
    tab.page.keyboard.press("/")
    check(tab.page.evaluate("() => document.activeElement.id") == "filter", "'/' goes to the filter")
    fill_filter(tab, "dev17", f"11 of {DEVICES}")
    check(all(name.startswith("dev17") for name in tab.texts(NAMES)), "only what matches is shown")
    fill_filter(tab, "nothing-like-it", f"0 of {DEVICES}")
    check(tab.text("#streams .empty") == "No stream matches the filter.", "nothing matches, and it says so")
    fill_filter(tab, "target:dev7", f"1 of {DEVICES}")


def one_target(tab):
    tab.page.locator(NAMES).first.focus()
    tab.page.keyboard.press("Enter")
    tab.until("() => location.hash === '#/target/dev7' && document.querySelector('#target .chip')?.textContent === 'up'",
              "the page of dev7")
    check(tab.page.evaluate("() => document.activeElement.textContent") == "dev7", "focus is on its title")
    tab.until("() => document.querySelector('#target .plain td.number')", "its routes")
    check("127.0.0.1:" in tab.text("#target .facts") and "pipe" in tab.text("#target .plain"),
          "its address, its route to the sink")
    check(re.search(r"granted · .* held · .* free · limit 64.0 KiB", tab.text("#target .words")),
          "its credit in words")
    tab.page.reload()
    tab.until("() => document.querySelector('#target .plain td.number')", "the page of dev7 after a reload")
    pictured(tab, "target", "#target .credit")
    tab.page.locator("#target nav a").click()
    tab.until(SHOWN, "the overview again", str(DEVICES))


def events(tab):
    tab.until("() => document.querySelector('#events li a')", "events of targets")
    check(re.search(r"target=dev\d+", tab.text("#events ol")), "events, with the targets they are of")


def themes(tab):
    def ground():
        return tab.page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    seen = [ground()]
    for chosen in ("light", "dark"):
        tab.page.click("#theme")
        check(tab.page.get_attribute("html", "data-theme") == chosen, f"the button chooses {chosen}")
        seen.append(ground())
    check(seen[0] == seen[1] != seen[2], "the choice wins over the system's")


def watched(lab):
    tap = Tap(lab)
    devices = Devices(lab, "sim", DEVICES, updates=4, rate=15, words=["--quiet"])
    piped = {f"dev{n}": {"sinks": ["pipe" if n <= PIPED else "spare"]} for n in range(1, DEVICES + 1)}
    collector = Collector(lab, devices.addresses(), {"all": subscription("/interfaces")},
                          {"pipe": {"type": "file", "path": str(tap.path), "format": "event"},
                           "spare": {"type": "null"}}, targets=piped)
    browser = Browser(lab)
    note(browser.version)
    origin = f"http://127.0.0.1:{collector.port}"
    tab = browser.tab(origin)
    first_look(tab)
    tap.is_open.clear()
    stalled(tab)
    pictured(tab, "held", "#reasons li")
    tap.is_open.set()
    flowing_again(tab)
    tab.shoot("flowing-1280-light")
    sorted_rows(tab)
    filtered_rows(tab)
    one_target(tab)
    events(tab)
    themes(tab)
    check(not tab.said, f"nothing on the console {tab.said or ''}")
    check(not tab.strangers, f"nothing is asked of others {tab.strangers or ''}")


def token(lab):
    """Without the token there is a prompt; it is in no address and in no storage that stays."""
    devices = Devices(lab, "sim", 1, updates=4, rate=4, words=["--quiet"])
    collector = Collector(lab, devices.addresses(), {"all": subscription("/interfaces")},
                          {"spare": {"type": "null"}}, admin={"token": TOKEN})
    tab = Browser(lab).tab(f"http://127.0.0.1:{collector.port}")
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.goto("/")
    for word in ("wrong", TOKEN):
        tab.until("() => document.getElementById('login').open", "a prompt")
        check(tab.page.evaluate("() => document.activeElement.id") == "token", "the prompt has the focus")
        if word == "wrong":
            check(not (faults := tab.faults()), f"axe-core finds nothing serious {faults or ''}")
            tab.shoot("token-1280-light", 1280)
        tab.page.fill("#token", word)
        tab.page.keyboard.press("Enter")
        tab.until("() => document.getElementById('token').value === ''", "the token taken")
        if word == "wrong":
            tab.until("() => document.getElementById('login').open", "the prompt again")
    tab.until(HEADLINE, "flowing", "Everything is flowing.")
    tab.page.reload()
    tab.until(HEADLINE, "flowing after a reload", "Everything is flowing.")
    kept = tab.page.evaluate("() => JSON.stringify(localStorage) + document.cookie + location.href")
    check(TOKEN not in kept and not any(TOKEN in url for url in asked), "the token stays in its tab")
    fresh = tab.context.new_page()
    fresh.goto("/")
    fresh.wait_for_selector("#login[open]")
    check(True, "another tab has to be told it too")


def main(lab):
    part(lab, "watched", watched)
    part(lab, "token", token)


if __name__ == "__main__":
    run(main)
