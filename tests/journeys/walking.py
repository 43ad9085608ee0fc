"""Walks the pages as a person does, from link to link, and looks at each kind of page once."""

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.urls import Resolver404, resolve

AXE = settings.ROOT / "node_modules/axe-core/axe.min.js"
# What tells pages of one address apart: the parts of the evaluation's form.
TELLING = re.compile(r"[?&]part=[a-z_]+")
# What the calendar's library writes into its own elements; the list beside it says the same without them.
NOT_OURS = re.compile(r'<\w+ class="ec-')


def kind_of(address: str) -> tuple[str, str] | None:
    """(name in the resolver, what else tells it apart); None where nothing answers."""
    parts = urlsplit(address)
    try:
        name = resolve(parts.path).view_name
    except Resolver404:
        return None
    telling = TELLING.search(f"?{parts.query}")
    return name, telling.group()[1:] if telling else ""


def violations(page) -> list[str]:
    """What axe finds, a sentence each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Path(AXE).read_text() + "; undefined")  # not a script tag: the policy of the page refuses it
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(result => result.violations)")
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]}"
        for one in found
        for node in one["nodes"]
        if not (one["id"].startswith("aria-allowed") and NOT_OURS.match(node["html"]))
    ]


def show(page, content: str) -> None:
    """What another window shows, which runs no scripts, in one that does; styles and pictures come from the clinic."""
    page.route("**/as-shown/", lambda route: route.fulfill(body=content, content_type="text/html; charset=utf-8"))
    page.goto("/as-shown/")
    page.unroute("**/as-shown/")


def sideways(page, width) -> list[str]:
    """Whether something sticks out of a narrow window."""
    usual = page.viewport_size
    page.set_viewport_size({"width": width, "height": 844})
    much = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_viewport_size(usual)
    return [f"sticks out by {much} px in a window of {width} px"] if much > 0 else []


def watch(page) -> list[str]:
    """A list that fills with what the browser complains of: scripts, policy, answers that are faults."""
    complaints = []
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on("console", lambda m: complaints.append(f"console: {m.text}") if m.type in {"error", "warning"} else None)
    return complaints


def links(page) -> list[str]:
    """Addresses of ours that the page leads to, in its order, without the anchors."""
    base = "/".join(page.url.split("/")[:3]) + "/"
    found = page.eval_on_selector_all("a[href]:not([download])", "all => all.map(a => a.getAttribute('href'))")
    addresses = [urljoin(page.url, href).split("#")[0] for href in found]
    return [address for address in dict.fromkeys(addresses) if address.startswith(base)]


def walk(page, starts, seen: dict, *, leave=(), narrow=390) -> dict[str, list[str]]:
    """{address: what is wrong} of all that can be reached from the starts and was not seen yet.

    Addresses whose name is in `leave` are not followed, nor is what hangs on a page that was seen.
    """
    wrong = {}
    complaints = watch(page)
    waiting = list(starts)
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(address)
        if kind is None or kind[0] in leave or (kind in seen and address not in starts):
            continue
        complaints.clear()
        answer = page.goto(address)
        if answer.status >= 400:
            wrong[address] = [f"answers {answer.status}"]
            continue
        waiting.extend(links(page))
        arrived = kind_of(page.url)
        if arrived in seen:
            continue
        seen[kind] = seen[arrived] = page.url
        page.wait_for_load_state("networkidle")
        if found := [*violations(page), *sideways(page, narrow), *complaints]:
            wrong[page.url] = found
    return wrong
