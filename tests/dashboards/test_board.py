from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from migrator.dashboards.page import ORDER
from migrator.dashboards.web.board import Board
from migrator.dashboards.web.serve import keep_reading
from tests.dashboards.overviews import ACCUMULATING, FAILED, LOST, PASSED

if TYPE_CHECKING:
    from migrator.dashboards.overview import Overview

ALL = {"said", *ORDER}


def test_a_reader_gets_what_changed_since_its_mark_and_nothing_twice() -> None:
    board = Board(ACCUMULATING)
    first = board.mark
    assert board.since(first) == {}
    board.show(FAILED)
    assert set(board.since(first)) == {"said", "next", "gates"}
    assert board.since(board.mark) == {}


def test_a_reader_that_was_away_for_long_gets_the_newest_only() -> None:
    board = Board(ACCUMULATING)
    first = board.mark
    for over in (FAILED, PASSED, FAILED, LOST):
        board.show(over)
    assert "UNKNOWN" in board.since(first)["next"]
    assert "FAILED ·" not in board.since(first)["next"]


def test_a_mark_of_nobody_of_another_server_or_of_the_future_gets_everything() -> None:
    board = Board(ACCUMULATING)
    boot = board.mark.partition("-")[0]
    for mark in ("", "x", Board(ACCUMULATING).mark, f"{boot}-999", f"{boot}-²", f"{boot}--1"):
        assert set(board.since(mark)) == ALL, mark


def test_the_same_again_is_no_news() -> None:
    board = Board(ACCUMULATING)
    mark = board.mark
    board.show(replace(ACCUMULATING))
    assert board.mark == mark


def test_whoever_waits_wakes_up_with_the_news_or_after_a_while() -> None:
    async def wait() -> list[dict[str, str]]:
        board = Board(ACCUMULATING)
        mark = board.mark
        await board.news(mark, within_s=0.01)
        quiet = board.since(mark)
        waiting = asyncio.create_task(board.news(mark, within_s=60))
        await asyncio.sleep(0)
        board.show(FAILED)
        await asyncio.wait_for(waiting, 5)
        return [quiet, board.since(mark)]

    quiet, news = asyncio.run(wait())
    assert (quiet, set(news)) == ({}, {"said", "next", "gates"})


def test_a_reading_that_does_not_come_back_is_said_and_then_replaced() -> None:
    """The state hangs, like a server behind a cable that was pulled."""

    async def hang() -> list[str]:
        shown: list[str] = []
        back = asyncio.Event()
        loop = asyncio.get_running_loop()

        def read() -> Overview:
            asyncio.run_coroutine_threadsafe(back.wait(), loop).result(10)
            return PASSED

        class Noting(Board):
            def show(self, over: Overview) -> None:
                shown.append(over.decision)
                super().show(over)
                if over.lost:
                    back.set()

        board = Noting(ACCUMULATING)
        reading = asyncio.create_task(
            keep_reading(board, read, lambda: LOST, every_s=60, late_s=0.01)
        )
        while len(shown) < 3:
            await asyncio.sleep(0.01)
        reading.cancel()
        return shown

    assert asyncio.run(hang()) == ["ACCUMULATING", "UNKNOWN", "PASSED"]
