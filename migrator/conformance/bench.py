"""What a case works with: the application, the issuer, the scene, and the people in it."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from migrator.conformance import counters
from migrator.conformance.browser import Browser
from migrator.conformance.interface import At, CannotRunError, Need, Person

if TYPE_CHECKING:
    from collections import Counter

    from migrator.config.verify import CsrfSection, VerifySection
    from migrator.conformance.auther import Auther
    from migrator.conformance.browser import Answer, Wire
    from migrator.conformance.counters import Reading
    from migrator.conformance.interface import Scene
    from migrator.conformance.issuer import Issuer
    from migrator.core.clock import Clock

START, LOGOUT, CONFLICT = "/auth/auther/start", "/auth/auther/logout", "/auth/conflict"
OK, UNAUTHORIZED, UNAVAILABLE = 200, 401, 503
FOLLOWED_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.05
# Each process re-reads the stage document within two seconds.
_OTHER_WORKERS_S = 2.2


@dataclass(frozen=True)
class Site:
    """What is known of the deployment besides its profile.

    Attributes:
        client_id: Of the application at Auther.
        redirect_uri: Where its logins come back to.
        after_login: Where they end without a return path.
        salt: Of the browsers' buckets.
        missing: What it lacks, with the reason.
    """

    client_id: str
    redirect_uri: str
    after_login: str
    salt: str
    metrics_token: str
    control_secret: str
    missing: frozenset[Need]

    @property
    def callback_path(self) -> str:
        """Give the callback's path."""
        return urlsplit(self.redirect_uri).path

    def cookie(self, name: str) -> str:
        """Give a cookie's whole name: over https it is this host's alone."""
        secure = urlsplit(self.redirect_uri).scheme == "https"
        return f"__Host-{name}" if secure else name


@dataclass
class Bench:
    """One application under test.

    Attributes:
        at: Where the switch stands.
        people: Canaries by name.
        kept: What was prepared, by the title of its case.
        prepared: What was prepared for the case that runs.
    """

    profile: VerifySection
    site: Site
    wire: Wire
    auther: Auther
    scene: Scene
    people: dict[str, Person]
    clock: Clock
    at: At | None = None
    kept: dict[str, Any] = field(default_factory=dict)
    prepared: Any = None
    _lost: str = ""
    _pool: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    _shared: dict[str, dict[str, str]] = field(default_factory=dict)

    # The switch

    def set_stage(self, at: At) -> None:
        """Move the switch and wait until the application follows.

        Raises:
            CannotRunError: It does not.
        """
        if at == self.at:
            return
        if self._lost:
            raise CannotRunError(self._lost)
        self.at = None
        self.follow(self.scene.publish(at))
        self.at = at

    def follow(self, epoch: int) -> None:
        """Wait until the application reports an epoch.

        Raises:
            CannotRunError: It does not within ten seconds.
        """
        ends = time.monotonic() + FOLLOWED_WITHIN_S
        while self.metrics().epoch != epoch:
            if time.monotonic() > ends:
                # Whoever does not follow once is not waited for in hundreds of cases.
                self._lost = (
                    f"the application did not follow epoch {epoch} within {FOLLOWED_WITHIN_S:g} s: "
                    "does it read the stage document that is published here?"
                )
                raise CannotRunError(self._lost)
            time.sleep(_LOOK_EVERY_S)
        if self.profile.workers > 1:
            time.sleep(_OTHER_WORKERS_S)

    def await_keys(self) -> None:
        """Wait until the application has this issuer's keys.

        Of those that another issuer had here a moment ago it lets go when its cooldown is over. If it still
        has none then, the cases say so.
        """
        if self.auther.issuer is None or not self.people:
            return
        token = self.bearer(next(iter(self.people)))
        ends = time.monotonic() + self.profile.jwks_cooldown.total_seconds() + FOLLOWED_WITHIN_S
        in_a_row = 0
        while in_a_row < self.profile.workers and time.monotonic() < ends:
            if self.who(self.browser(), token).error != "verification_unavailable":
                in_a_row += 1
            else:
                in_a_row = 0
                time.sleep(_LOOK_EVERY_S)

    # Counters

    def metrics(self) -> Reading:
        """Read the counters.

        Raises:
            CannotRunError: The metrics cannot be read.
        """
        time.sleep(self.profile.counted_within.total_seconds())
        bearer = ("Authorization", f"Bearer {self.site.metrics_token}")
        answer = Browser(self.wire).get(counters.METRICS_PATH, bearer)
        if answer.status != OK:
            raise CannotRunError(
                f"{counters.METRICS_PATH} answers {answer.status}: no shim, or another metrics token"
            )
        return counters.read(answer.text)

    def expect_counted(self, answer: Answer, counted: Counter[str], pattern: str) -> None:
        """Expect that exactly one request was counted, as "path outcome reason".

        Raises:
            MismatchError: It was counted otherwise, or not at all, or others were too.
        """
        answer.must(
            counters.matches(counted, pattern),
            f"one request counted as '{pattern}', not as {dict(counted) or 'nothing'}",
        )

    # People and their credentials

    def person(self, name: str) -> Person:
        """Give a canary."""
        return self.people[name]

    def token(self, name: str, /, **odd: Any) -> str:
        """Give a good token of a canary, or one with odd claims (`header` and `key` too).

        Raises:
            CannotRunError: It takes the test issuer.
        """
        if odd:
            return self.issuer.make_token(self.person(name).auther_id, **odd)
        return self.auther.token(self.person(name))

    @property
    def issuer(self) -> Issuer:
        """Give the test issuer.

        Raises:
            CannotRunError: A real Auther is used.
        """
        if self.auther.issuer is None:
            raise CannotRunError(Need.TEST_ISSUER.value)
        return self.auther.issuer

    def bearer(self, name: str, /, **odd: Any) -> tuple[str, str]:
        """Give the header that a canary's token travels in."""
        return bearer(self.token(name, **odd))

    @property
    def token_cookie(self) -> str:
        """Give the name of the cookie that holds a token."""
        return self.site.cookie("auther_id_token")

    def browser(self, *, session: str = "", cookie: str = "") -> Browser:
        """Give a browser.

        Args:
            session: The canary whose legacy session it has.
            cookie: The token in its Auther cookie.
        """
        found = Browser(self.wire, dict(self.session(session)) if session else {})
        if cookie:
            found.cookies[self.token_cookie] = cookie
        return found

    def session(self, name: str) -> dict[str, str]:
        """Give the cookies of a canary's legacy session.

        Raises:
            CannotRunError: Nobody can sign in at the form now, and none is left.
        """
        kept = self._pool.get(name, [])
        if self.at is None or not self.at.issues_legacy:
            if not kept:
                raise CannotRunError(f"no legacy session of {name} is left")
            return kept.pop()
        if name not in self._shared:
            self._shared[name] = self.sign_in(name).cookies
        return self._shared[name]

    def fresh_session(self, name: str) -> Browser:
        """Give a browser with a session of its own, which may be ended."""
        kept = self._pool.get(name, [])
        if self.at is not None and self.at.issues_legacy:
            return self.sign_in(name)
        if not kept:
            raise CannotRunError(f"no legacy session of {name} is left")
        return Browser(self.wire, kept.pop())

    def stock(self, name: str) -> None:
        """Sign a canary in once more, for a stage in which nobody can."""
        self._pool.setdefault(name, []).append(self.sign_in(name).cookies)

    def sign_in(self, name: str, *, remember: bool = False) -> Browser:
        """Sign a canary in at the legacy form.

        Raises:
            CannotRunError: The form does not let the canary in.
        """
        browser = Browser(self.wire)
        answer = self.send_form(browser, name, remember=remember)
        form = self.profile.form
        if form is None or answer.status not in form.accepted:
            raise CannotRunError(f"the legacy form does not let {name} in: {answer}")
        return browser

    def send_form(
        self, browser: Browser, name: str, *, password: str = "", remember: bool = False
    ) -> Answer:
        """Fill the legacy form in and send it."""
        form, person = self.profile.form, self.person(name)
        if form is None:
            raise CannotRunError(Need.FORM.value)
        fields = {
            **form.fields,
            form.email: person.email,
            form.password: password or person.password,
        }
        if remember:
            fields[form.remember_me] = "1"
        return self.fill_in(browser, form.page or form.path, form.path, fields, form.csrf)

    def fill_in(
        self,
        browser: Browser,
        page: str,
        path: str,
        fields: dict[str, str],
        csrf: CsrfSection | None,
        method: str = "POST",
    ) -> Answer:
        """Send a form with the CSRF token of its page."""
        headers: dict[str, str] = {}
        if csrf is not None:
            token = self.csrf_token(browser, page, csrf)
            fields = {**fields, csrf.field: token} if csrf.field else fields
            headers = {csrf.header: token} if csrf.header else {}
        return browser.post(path, fields, headers=headers, method=method)

    def csrf_token(self, browser: Browser, page: str, csrf: CsrfSection) -> str:
        """Give the token that a page has for this browser.

        Raises:
            CannotRunError: The page has none.
        """
        answer = browser.visit(csrf.page or page)
        found = re.search(csrf.pattern, answer.text)
        if found is None:
            raise CannotRunError(f"no CSRF token at {csrf.page or page}: {answer}")
        return found[1].replace("&quot;", '"').replace("&amp;", "&")

    # Questions

    def who(self, browser: Browser, *more: tuple[str, str]) -> Answer:
        """Ask the application who is there, as a script does."""
        return browser.get(self.profile.whoami, *more)

    def visit(self, browser: Browser, *more: tuple[str, str]) -> Answer:
        """Go to the application's page."""
        return browser.visit(self.profile.whoami, *more)

    def is_user(self, answer: Answer, name: str | None) -> bool:
        """Tell whether the application knows a canary in this answer; None: nobody."""
        body = answer.json()
        if answer.status != OK or not isinstance(body, dict) or "user" not in body:
            return False
        wanted = self.person(name).user_pk if name else None
        return (None if body["user"] is None else str(body["user"])) == wanted

    def expect_user(self, answer: Answer, name: str | None) -> None:
        """Expect that the application sees a canary, or nobody.

        Raises:
            MismatchError: It sees somebody else, or the shim refuses.
        """
        answer.must(self.is_user(answer, name), f"200, and the user is {name or 'nobody'}")

    def expect_refused(self, answer: Answer, status: int, error: str) -> None:
        """Expect one of the shim's own refusals.

        Raises:
            MismatchError: It is another answer, may be cached, or a 401 names no scheme.
        """
        answer.must((answer.status, answer.error) == (status, error), f'{status} "{error}"')
        kept = answer.headers.get("cache-control", "")
        answer.must("no-store" in kept, "Cache-Control: no-store on the shim's own answers")
        challenge = answer.headers.get("www-authenticate", "")
        if status == UNAUTHORIZED:
            answer.must(challenge.startswith("Bearer"), "WWW-Authenticate: Bearer beside a 401")
        if status == UNAVAILABLE:
            waits = answer.headers.get("retry-after", "")
            answer.must(waits.isdecimal() and int(waits) > 0, "Retry-After beside a 503")

    def is_login(self, answer: Answer) -> bool:
        """Tell whether an answer leads a person to where signing in begins."""
        leads = answer.status in {302, 303} and self._is_here(answer.location)
        return leads and answer.path in self.login_paths

    def expect_here(self, answer: Answer) -> None:
        """Expect that an answer leads nobody to another site.

        Raises:
            MismatchError: It does.
        """
        # Browsers read "/\\host" as "//host".
        answer.must(self._is_here(answer.location.replace("\\", "/")), "no way to another site")

    def _is_here(self, location: str) -> bool:
        return urlsplit(location).netloc in {"", urlsplit(self.wire.base_url).netloc}

    @property
    def login_paths(self) -> frozenset[str]:
        """Give the paths at which signing in begins."""
        form = self.profile.form
        of_form = {form.page or form.path} if form else set()
        return frozenset({START, *self.profile.login_paths, *of_form})


def bearer(token: str) -> tuple[str, str]:
    """Give the header that a token travels in."""
    return "Authorization", f"Bearer {token}"


def random_email() -> str:
    """Give an address that nobody has."""
    return f"verify-{secrets.token_hex(8)}@example.org"
