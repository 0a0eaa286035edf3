"""What the tests know about the people of the Go application."""

from tests.shims.asgi.club import BOB, oracle

FOREIGN_PATH = "/api/"
PEPPER = oracle()[BOB]["pepper"]
