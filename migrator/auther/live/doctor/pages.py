"""Finds the pages where people do what a login page offers beside the login."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from migrator.auther.live.doctor.interface import NoAnswerError
from migrator.auther.live.doctor.visit import OK

if TYPE_CHECKING:
    from migrator.auther.live.doctor.asking import Answer
    from migrator.auther.live.doctor.visit import Visit

_LINK = re.compile(
    r"""<(?:a|form)\b[^>]*?\b(?:href|action)\s*=\s*["']([^"'<>]{1,500})["']""", re.IGNORECASE
)
_FIELD = re.compile(
    r"""<input\b[^>]*?\b(?:type|name)\s*=\s*["'](?:email|username)["']""", re.IGNORECASE
)


@dataclass(frozen=True)
class Page:
    """A page that is there.

    Attributes:
        has_form: It holds a field for an address; without one it may be for invited people only.
    """

    path: str
    has_form: bool


def find_page(visit: Visit, words: re.Pattern[str], usual: tuple[str, ...]) -> Page | None:
    """Look for a page: by the login page's links, then at the usual paths.

    Args:
        visit: The visit.
        words: What the path of such a page contains.
        usual: Paths at Auther's origin to try.

    Raises:
        NoAnswerError: Auther does not answer.
    """
    base = visit.setting.base_url.rstrip("/")
    linked = [path for path in _linked(visit) if words.search(path)]
    paths = linked if _answers_everything(visit, base) else [*linked, *usual]
    tried = ((path, visit.asker.ask("GET", f"{base}{path}")) for path in dict.fromkeys(paths))
    pages = [Page(path, has_form=_has_field(answer)) for path, answer in tried if _is_page(answer)]
    return next((page for page in pages if page.has_form), next(iter(pages), None))


def _has_field(answer: Answer) -> bool:
    return bool(_FIELD.search(answer.text))


def _linked(visit: Visit) -> list[str]:
    """Give the paths that the login page leads to."""
    try:
        login = visit.authorize(signed_in=False).answer.location
    except NoAnswerError:
        return []
    url = urljoin(visit.setting.api, login)
    if urlsplit(url).netloc != urlsplit(visit.setting.base_url).netloc:
        return []
    page = visit.asker.ask("GET", url)
    return [urlsplit(urljoin(url, link)).path for link in _LINK.findall(page.text)]


def _answers_everything(visit: Visit, base: str) -> bool:
    """Tell whether even a path that cannot exist answers with a page."""
    return _is_page(visit.asker.ask("GET", f"{base}/{secrets.token_hex(8)}"))


def _is_page(answer: Answer) -> bool:
    return answer.status == OK and "html" in answer.headers.get("content-type", "")
