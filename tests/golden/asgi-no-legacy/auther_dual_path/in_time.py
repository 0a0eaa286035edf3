"""A limit for what has none of its own, and work that several requests wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
Flight = asyncio.Task


async def in_time(seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    """Give what work gives.

    Raises:
        TimeoutError: It takes too long; it is cancelled.
    """
    async with asyncio.timeout(seconds):
        return await work()


def begin(work: Callable[[], Coroutine[Any, Any, T]]) -> Flight[T]:
    """Start work as a task of its own."""
    return asyncio.create_task(work())


async def landed(flight: Flight[T]) -> T:
    """Wait for what was begun; one client that goes away must not cancel it for the others."""
    return await asyncio.shield(flight)
