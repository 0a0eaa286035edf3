"""What Auth0's and Firebase's exports say about a user, in our columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Made = tuple[dict[str, Any], tuple[tuple[str, str], ...]]

# better-auth's names where theirs differ.
_AUTH0 = {"google-oauth2": "google", "windowslive": "microsoft", "waad": "microsoft"}
_FIREBASE = {"microsoft.com": "microsoft"}
_PASSWORD = frozenset({"auth0", "password", "phone"})
_MILLISECONDS_S = 1000


def of_auth0(record: Mapping[str, Any], where: str) -> Made:
    """Read a line of a user export, or of the export of password hashes that Auth0's support makes.

    Raises:
        UsageError: A part has another form.
    """
    values = {
        "id": record.get("user_id") or _own_id(_part(record, "_id", where)),
        "email": record.get("email"),
        "password": record.get("passwordHash"),
        "salt": None,
        "name": record.get("name"),
        "username": record.get("username"),
        "created_at": record.get("created_at"),
        "updated_at": record.get("updated_at"),
        "verified": record.get("email_verified") or False,
        "disabled": record.get("blocked") or False,
        "second_factor": bool(record.get("multifactor")),
    }
    custom = _part(record, "custom_password_hash", where)
    if custom:
        values["password"] = _part(custom, "hash", where).get("value")
        values["salt"] = _part(custom, "salt", where).get("value")
    links = []
    for link in _parts(record, "identities", where):
        provider = str(link.get("provider"))
        if provider not in _PASSWORD and link.get("isSocial", True):
            links.append((_AUTH0.get(provider, provider), str(link.get("user_id") or "")))
    return values, tuple(link for link in links if link[1])


def _own_id(found: Mapping[str, Any]) -> str | None:
    return f"auth0|{found['$oid']}" if found.get("$oid") else None


def of_firebase(record: Mapping[str, Any], where: str) -> Made:
    """Read a user of `firebase auth:export users.json`.

    Raises:
        UsageError: A part has another form.
    """
    values = {
        "id": record.get("localId"),
        "email": record.get("email"),
        "password": record.get("passwordHash"),
        "salt": record.get("salt"),
        "name": record.get("displayName"),
        "created_at": _time(record.get("createdAt"), where),
        "verified": record.get("emailVerified") or False,
        "disabled": record.get("disabled") or False,
        "second_factor": bool(record.get("mfaInfo")),
    }
    links = []
    for link in _parts(record, "providerUserInfo", where):
        provider = str(link.get("providerId"))
        if provider not in _PASSWORD:
            named = _FIREBASE.get(provider, provider.removesuffix(".com"))
            links.append((named, str(link.get("rawId") or "")))
    return values, tuple(link for link in links if link[1])


def _time(value: object, where: str) -> str | None:
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(int(str(value)) / _MILLISECONDS_S, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        raise _fault(where, "createdAt is no time in milliseconds") from None


def _part(record: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    found = record.get(name) or {}
    if not isinstance(found, dict):
        raise _fault(where, f"{name} is no object")
    return found


def _parts(record: Mapping[str, Any], name: str, where: str) -> list[Mapping[str, Any]]:
    found = record.get(name) or []
    if not isinstance(found, list) or not all(isinstance(part, dict) for part in found):
        raise _fault(where, f"{name} is no list of objects")
    return found


def _fault(where: str, what: str) -> UsageError:
    return UsageError(f"{where}: {what}", hint="load the file as it was exported")
