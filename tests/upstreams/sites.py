"""Sites of plain files: with pages that list a folder, as Apache makes them, or none."""

from collections.abc import Mapping
from html import escape
from urllib.parse import quote

from standin import NOT_FOUND, Ask, Host, Reply, file

HTML = "text/html;charset=UTF-8"


def plain_site(files: Mapping[str, bytes]) -> Host:
    """Play a site that lists nothing."""

    def answer(ask: Ask) -> Reply:
        return file(files[ask.path]) if ask.path in files else NOT_FOUND

    return answer


def listed_site(files: Mapping[str, bytes]) -> Host:
    """Play a site whose folders answer with a page of links to what is in them."""
    shown = plain_site(files)

    def answer(ask: Ask) -> Reply:
        if ask.path in files or (ask.path and not ask.path.endswith("/")):
            return shown(ask)
        below = [name[len(ask.path) :] for name in files if name.startswith(ask.path)]
        return _index(ask.path, below) if below else NOT_FOUND

    return answer


def _index(folder: str, below: list[str]) -> Reply:
    entries = sorted({name.partition("/")[0] + "/" * ("/" in name) for name in below})
    rows = "\n".join(
        f'<a href="{quote(entry)}">{escape(entry)}</a>   2026-11-01 01:00  1.0K'
        for entry in entries
    )
    body = (
        f"<html><head><title>Index of /{escape(folder)}</title></head><body>\n"
        f'<h1>Index of /{escape(folder)}</h1><pre><a href="../">Parent Directory</a>\n{rows}\n'
        "</pre></body></html>\n"
    )
    return Reply(body.encode(), 200, {"Content-Type": HTML})
