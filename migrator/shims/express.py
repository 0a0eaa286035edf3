"""The Express target: a middleware in place of `passport.session()`, in JavaScript with types in comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.shims.javascript import render_javascript

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings


@dataclass(frozen=True)
class ExpressTarget:
    """Express 5 with express-session and Passport 0.7 on Node.js 20 and later, users in PostgreSQL."""

    name: str = "express"
    names: tuple[str, ...] = (
        "auther-cutover",
        "createCutover",
        "createAuther",
        "cutover.",
        "auther.session",
        "req.auther",
    )

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the folder `auther-cutover`, its README and its test.

        Returns:
            Text by path relative to the application's root.
        """
        return render_javascript(self.name, settings)
