"""browser - Debian's Chromium, headless, driven by playwright; and axe-core, which looks for what keeps
people out.

Everything that a page says on its console, throws, or asks of others is kept, to be held against what
it may.
"""
import os
import shutil
import subprocess

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from harness import Failed, sluice

WAIT_MS = 30000  # for what a page shows; a busy machine draws late
SERIOUS = ("serious", "critical")


def pictures():
    """Where screenshots are kept: beside the build."""
    place = sluice().resolve().parents[2] / "page"
    place.mkdir(exist_ok=True)
    return place


class Tab:
    """One page in a context of its own, with nothing stored."""

    def __init__(self, browser, origin, width=1280, height=800, scheme="light"):
        self.origin = origin
        self.context = browser.new_context(viewport={"width": width, "height": height},
                                           color_scheme=scheme, base_url=origin)
        self.context.set_default_timeout(WAIT_MS)
        self.page = self.context.new_page()
        self.said = []       # on the console, as an error or a warning, and what was thrown
        self.strangers = []  # addresses of others that were asked
        self.page.on("console", lambda message: self.said.append(message.text)
                     if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.strangers.append(request.url)
                     if not request.url.startswith(origin + "/") else None)

    def text(self, selector):
        return self.page.locator(selector).first.inner_text()

    def texts(self, selector):
        return self.page.locator(selector).all_inner_texts()

    def until(self, condition, what, argument=None):
        """Until an expression of the page's own language holds."""
        try:
            self.page.wait_for_function(condition, arg=argument, timeout=WAIT_MS)
        except Exception as error:
            raise Failed(f"the page: not {what}; it says: {self.text('h1')}") from error

    def shoot(self, name, width=None, height=800, whole=False):
        if width:
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.screenshot(path=pictures() / f"{name}.png", full_page=whole)

    def faults(self, only=None):
        """What axe-core finds serious or critical, as (rule, elements); by some rules alone, which is quick."""
        options = {"runOnly": {"type": "rule", "values": only}} if only else None
        found = Axe().run(self.page, options=options).response["violations"]
        return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found
                if one["impact"] in SERIOUS]

    def close(self):
        self.context.close()


class Browser:
    def __init__(self, lab):
        binary = shutil.which("chromium")
        if not binary:
            raise Failed("no chromium: sh deploy/packages.sh test")
        self.driver = sync_playwright().start()
        lab.on_end(self.driver.stop)
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        self.browser = self.driver.chromium.launch(executable_path=binary, args=root)
        lab.on_end(self.browser.close)
        self.version = subprocess.run([binary, "--version"], capture_output=True, text=True,
                                      check=False).stdout.strip()

    def tab(self, origin, **options):
        return Tab(self.browser, origin, **options)
