"""Every case against the Laravel application behind nginx and PHP-FPM, whose workers share memory or only files."""

import pytest

from tests.parts import require
from tests.parts.laravel import CALLBACK_PATH, prepare
from tests.parts.laravel_fpm import LaravelFpm
from tests.shims.conformance import Deployment
from tests.shims.conforming import AllAtOnce, prepared
from tests.shims.laravel.test_conformance import PROFILE

pytestmark = [pytest.mark.xdist_group("laravel"), pytest.mark.long]


class Fpm(AllAtOnce):
    part = "laravel_shim"
    profile = PROFILE
    callback_path = CALLBACK_PATH
    # nginx refuses these with 400 before any application sees them.
    gaps = frozenset({"headers/two-authorization-headers"})
    memory = "1"

    @classmethod
    def app(cls, dsn: str, deployment: Deployment) -> LaravelFpm:
        """Put it behind nginx."""
        require("php_fpm")
        options = (f"apc.enabled={cls.memory}",)
        return LaravelFpm.of(prepared(prepare, dsn, deployment), options=options)


class TestWithApcu(Fpm):
    pass


class TestWithFiles(Fpm):
    memory = "0"
