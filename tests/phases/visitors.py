"""People who are signed in at Auther and ask an application for a page again and again."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Self

import httpx


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    text: str
    took_s: float


@dataclass
class Visitors:
    """One of them.

    Attributes:
        says: What a right answer has in it.
    """

    url: str
    path: str
    token: str
    says: str
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._visit)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def wrong(self) -> list[Answer]:
        """The answers that were not right."""
        return [a for a in self.answers if a.status != 200 or self.says not in a.text]

    def wait_a_moment(self) -> None:
        """Let them go on."""
        assert not self._ended.wait(0.01)

    def _visit(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=False) as client:
            while not self._ended.wait(0.01):
                began_s = time.monotonic()
                answer = client.get(self.path)
                took_s = time.monotonic() - began_s
                self.answers.append(Answer(answer.status_code, answer.text, took_s))
