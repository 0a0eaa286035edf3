"""What the tests know about the people of the Go application."""

from tests.shims.asgi.club import BOB, oracle

PEPPER = oracle()[BOB]["pepper"]
