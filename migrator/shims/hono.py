"""The Hono target: a middleware, in JavaScript with types in comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.shims.javascript import render_javascript

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings


@dataclass(frozen=True)
class HonoTarget:
    """Hono 4 with @hono/node-server on Node.js 20 and later, users in PostgreSQL.

    Hono has no session of its own: the team says in four functions what its sessions are.
    """

    name: str = "hono"
    names: tuple[str, ...] = (
        "auther-cutover",
        "createCutover",
        "createAuther",
        "cutover.",
        "auther.middleware",
        "autherUser",
    )

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the folder `auther-cutover`, its README and its test.

        Returns:
            Text by path relative to the application's root.
        """
        return render_javascript(self.name, settings)
