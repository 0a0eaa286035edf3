"""better-auth's own password format, computed by Python's OpenSSL."""

import hashlib
import hmac
import unicodedata


def native_key(password: str, salt: str) -> str:
    """Give the hex key: scrypt over the NFKC form, with the salt's hex text as salt."""
    secret = unicodedata.normalize("NFKC", password).encode()
    key = hashlib.scrypt(
        secret, salt=salt.encode(), n=16384, r=16, p=1, dklen=64, maxmem=64 * 1024 * 1024
    )
    return key.hex()


def native_matches(stored: str, password: str) -> bool:
    """Whether `stored` is a native value for the password."""
    salt, colon, key = stored.partition(":")
    return bool(colon) and len(salt) == 32 and hmac.compare_digest(key, native_key(password, salt))
