"""What kind of client sent a request: the label `client` of each counted request and of its log line. Pure.

The first rule that applies, the same in every language:

1. `browser`: the request has `Sec-Fetch-Mode`, or a `User-Agent` that begins with `Mozilla/`, or an `Accept` that
   names `text/html`. Whatever it asks for and whatever credential it brings: its person can be sent to a page.
2. `app`: it is counted on a path of a person's credential (`legacy`, `auther`, `both`), and the shim did not accept
   a token with the claim `apiKeyId`. An application on a telephone, or a script with somebody's cookie.
3. `api`: all else, which is `foreign`, `none`, and a token that Auther gave for an API key. A program.

Its limits: headers are the client's own words, so this counts and decides nothing. A program that calls itself
`Mozilla/5.0` is a browser. So is a web view inside an application, and rightly: it can sign in by a page. A browser
whose headers were taken away is an app. A program's request before it has any credential is one of an API. The
marker is counted by the same rule as traffic.

Shims that were generated before this label existed do not have it: their requests are of an unknown kind.
"""

from __future__ import annotations

LABEL = "client"
CLIENTS = ("browser", "app", "api")
UNKNOWN = "unknown"


def known_client(said: object) -> str:
    """Give the kind that a shim named; what is not on the list is unknown, never nobody."""
    return said if isinstance(said, str) and said in CLIENTS else UNKNOWN
