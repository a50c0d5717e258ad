#!/usr/bin/env python3
"""page - the status page in a real browser (Chromium), on a sluice with 200 simulated devices.

120 of them go to a file that is a named pipe, whose reader stops and goes on: their bars fill up with
what is held, the page says who is held by what, and everything comes back. The rest goes to the null
sink, and is not held. Sorting, filtering, the page of a target, both themes, the token; axe-core finds nothing serious in either theme, the console stays empty, and
nothing is asked of any other origin. Screenshots are kept in the build folder, under page/.

A thousand streams, which nobody answers for (--long: 5,000 simulated devices that are idle): however many there are,
few rows are elements, and a look brings few bytes; what comes of scrolling is judged by that, and in the long form
by the tasks that Chromium calls long. There sluice is ended, too: the page says so, and since when, and goes on by
itself when there is one again.
"""
import os
import re
import threading

from harness import check, free_port, must, note, part, run, sluice, wait_for

from browser import Browser
from collector import Collector, subscription
from devices import Devices

DEVICES, PIPED = 200, 120
MOST_ROWS = 100  # elements, of however many rows
MANY, MANY_LONG = 1000, 5000
MOST_BYTES = 128 << 10    # of one answer, of however many streams
LONGEST_TASK_MS = 200     # of the long form, while 5,000 rows are scrolled, sorted and filtered
TOKEN = "page-token-of-the-test-0123456789"

SHARE = """(name) => {
    const rows = [...document.querySelectorAll('#streams tbody:not([aria-hidden]) tr')];
    const row = rows.find((one) => one.querySelector('a').textContent === name);
    const width = (part) => row.querySelector(`.credit ${part}`).getBoundingClientRect().width;
    return width('.held') / row.querySelector('.credit').getBoundingClientRect().width;
}"""
HEADLINE = "(text) => document.querySelector('h1').textContent.includes(text)"
SHOWN = "(text) => document.getElementById('shown').textContent === text"
HERE = """() => !document.querySelector('#streams').hasAttribute('aria-busy')
    && !document.querySelector('#streams .coming')"""
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
    tab.until(HERE, f"rows by {title}")
    return head.get_attribute("aria-sort")


def fill_filter(tab, text, shown):
    tab.page.fill("#filter", text)
    tab.until(SHOWN, f"'{shown}' shown for '{text}'", shown)
    tab.until(HERE, f"rows for '{text}'")


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


def at_a_broker(tab):
    """What the page makes of partitions; the API's own are in stall.py, with a Kafka that stands still."""
    def with_partitions(route):
        answer = route.fetch()
        told = answer.json()
        for sink in told["sinks"]:
            sink["partitions"] = [
                {"destination": "", "partition": number, "broker": 2 + number % 2, "queued_records": 1500 * (number == 2),
                 "queued_bytes": 98304 * (number == 2), "sent_records": 0, "report_latency_s": 0.004}
                for number in range(4)] if sink["name"] == "pipe" else []
        route.fulfill(response=answer, json=told)

    tab.page.route("**/api/v1/sinks", with_partitions)
    tab.until("() => document.querySelector('#reasons li').textContent.includes('there by broker 2')", "a broker in the reason")
    tab.until("() => document.querySelector('#streams td.c-by').textContent === 'pipe · broker 2'", "a broker in the row")
    check(True, "held by broker 2, say the reason and the rows")
    tab.page.locator(".sink summary").first.click()
    tab.until("() => document.querySelector('.sink details[open] tbody tr')", "the partitions")
    check(tab.texts(".sink details[open] tbody tr:first-child td")[1:3] == ["2", "3,000 · 192 KiB"],
          f"what waits is on top, of both workers: {tab.texts('.sink details[open] tbody tr:first-child td')}")
    check("4 partitions at 2 brokers; records wait for broker 2" in tab.text(".sink summary"), "and the sink says so")
    tab.page.locator(".sink").first.scroll_into_view_if_needed()
    tab.shoot("partitions-1280-light")
    tab.page.unroute("**/api/v1/sinks")


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
        # What is there is the same in both, but for its colours.
        faults = tab.faults(only=None if theme == "light" else ["color-contrast"])
        check(not faults, f"{name}, {theme}: axe-core finds nothing serious {faults or ''}")
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
    words = tab.text("#target .words")
    check(re.search(r"granted · .* held · .* free · limit \d[\d.]* [KM]iB", words), f"its credit in words: {words}")
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
    tab.page.reload(wait_until="commit")
    tab.until("() => document.body", "a body")
    check(ground() == seen[2], "it is kept, and holds before anything is drawn")


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
    at_a_broker(tab)
    pictured(tab, "held", "#reasons li")
    tap.is_open.set()
    flowing_again(tab)
    tab.shoot("flowing-1280-light")
    sorted_rows(tab)
    filtered_rows(tab)
    one_target(tab)
    events(tab)
    keys(tab)
    themes(tab)
    check(not tab.said, f"nothing on the console {tab.said or ''}")
    check(not tab.strangers, f"nothing is asked of others {tab.strangers or ''}")


def keys(tab):
    """From the filter to a target and back, without a mouse."""
    tab.page.keyboard.press("/")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("ArrowUp")
    second = tab.texts(NAMES)[1]
    check(tab.page.evaluate("() => document.activeElement.textContent") == second, "arrows go from row to row")
    tab.page.keyboard.press("Enter")
    tab.until("(name) => location.hash === `#/target/${name}`", "its page", second)
    tab.page.keyboard.press("Escape")
    tab.until("() => !document.getElementById('overview').hidden", "Escape goes back")
    check(True, "Enter opens a target, Escape leaves it")


# ---- many ----

LONG_TASKS = """window.longTasks = [];
new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((one) => [one.startTime, one.duration])))
    .observe({type: 'longtask', buffered: true});"""
ANSWERS = """() => performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/v1/'))
    .map((one) => [one.name.replace(/^.*\\/api\\/v1\\/(\\w+).*$/, '$1'), one.decodedBodySize])"""
SCROLL = "(share) => { const box = document.getElementById('streams'); box.scrollTop = share * (box.scrollHeight - box.clientHeight); }"
SPAN = """() => { const at = (row) => Number(row.getAttribute('aria-rowindex')) - 2;
    const rows = [...document.querySelectorAll('#streams tbody:not([aria-hidden]) tr')];
    const first = rows[0].getBoundingClientRect();
    const under = document.querySelector('#streams th').getBoundingClientRect().bottom;
    return [at(rows[0]), at(rows[rows.length - 1]), at(rows[0]) + Math.floor((under - first.top) / first.height)]; }"""


def idle_devices(lab, count):
    """Long: devices that have nothing to say; short: streams are streams also where nobody answers."""
    if lab.is_long:
        return Devices(lab, "sim", count, updates=4, rate=1, words=["--quiet"]).addresses()
    port = free_port()
    return {f"dev{number}": f"127.0.0.1:{port}" for number in range(1, count + 1)}


def are_those_in_sight(tab):
    """The scroll is worked in, rows are there, and each is the one of its place."""
    first, last, seen = tab.page.evaluate(SPAN)
    names = tab.texts(NAMES)
    return first <= seen <= last and names == [f"dev{number}" for number in range(first + 1, last + 2)]


def scrolled(tab, count):
    """All over the table: rows come, few are elements, and the last one is the last."""
    most = 0
    for share in (0.1, 0.5, 0.9, 0.3, 1, 0):
        tab.page.evaluate(SCROLL, share)
        first, last, _ = tab.page.evaluate(SPAN)
        most = max(most, last - first + 1)
        wait_for(lambda: are_those_in_sight(tab), 20, f"the rows at {share} of the table, which are those of that place")
        if share == 1:
            check(tab.texts(NAMES)[-1] == f"dev{count}", "at its end is the last row")
    check(most < MOST_ROWS, f"at most {most} of {count} rows are elements, and they are the right ones")


def judged(lab, tab, count, shown_ms):
    answers = tab.page.evaluate(ANSWERS)
    most = {name: max(size for other, size in answers if other == name) for name, _ in answers}
    check(most["streams"] > 0 and all(size < MOST_BYTES for size in most.values()),
          f"no answer for {count} streams is above {MOST_BYTES >> 10} KiB: {most}")
    tasks = tab.page.evaluate("() => window.longTasks")
    note(f"long tasks (at, ms): {[(round(at), round(ms)) for at, ms in tasks]}; {len(answers)} answers,"
         f" {sum(size for _, size in answers) >> 10} KiB")
    if lab.is_long:
        check(all(ms < LONGEST_TASK_MS for at, ms in tasks if at > shown_ms),
              f"once it is shown, no task above {LONGEST_TASK_MS} ms")


def lost(lab, tab, collector, count):
    """Nobody answers: since when, and what is seen is old. It comes back by itself."""
    must(collector.stop() == 0, "sluice ends with 0")
    tab.until("() => document.body.hasAttribute('data-stale')", "a banner")
    check(tab.text("h1") == "sluice does not answer.", "the page says that nobody answers")
    check(re.search(r"Its last answer came at \d\d:\d\d:\d\d, .* ago; what is below is from then", tab.text("#summary")),
          f"and since when: {tab.text('#summary')}")
    check(tab.page.evaluate("() => getComputedStyle(document.getElementById('overview')).filter") == "grayscale(1)"
          and tab.page.locator(NAMES).count() > 0, "what was there stays, in grey")
    check(not (faults := tab.faults()), f"axe-core finds nothing serious {faults or ''}")
    tab.shoot("lost-1280-light", 1280)
    tab.shoot("lost-400-light", 400)
    lab.start("sluice-again", [sluice(), "run", "-c", collector.file])
    tab.until("() => !document.body.hasAttribute('data-stale')", "an answer again")
    tab.until(SHOWN, "all rows again", f"{count:,}")
    check("does not answer" not in tab.text("h1"), "it goes on by itself")


def many(lab):
    count = MANY_LONG if lab.is_long else MANY
    collector = Collector(lab, idle_devices(lab, count),
                          {"all": subscription("/interfaces", stream_mode="sample", sample_interval="600s")},
                          {"spare": {"type": "null"}}, target={"backoff": {"min": "60s", "max": "60s"}})
    tab = Browser(lab).tab(f"http://127.0.0.1:{collector.port}")
    tab.page.add_init_script(LONG_TASKS)
    tab.page.goto("/#/?sort=stream&order=asc")
    tab.until(SHOWN, "all rows", f"{count:,}")
    shown_ms = tab.page.evaluate("() => performance.now()")
    if lab.is_long:
        tab.until(HEADLINE, "all of them connected", "Everything is flowing.")
    scrolled(tab, count)
    for title in ("State", "Blocked", "Updates/s", "Stream"):
        sort_by(tab, title)
    matching = sum("dev77" in f"dev{number}" for number in range(1, count + 1))
    fill_filter(tab, "dev77", f"{matching} of {count:,}")
    fill_filter(tab, "", f"{count:,}")
    judged(lab, tab, count, shown_ms)
    tab.shoot("many-1280-light", 1280)
    lost(lab, tab, collector, count)


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
    part(lab, "many", many)


if __name__ == "__main__":
    run(main)
