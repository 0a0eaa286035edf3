"""Every case against the Laravel application behind nginx and PHP-FPM, whose workers share memory or only files."""

import pytest

from tests.parts import require
from tests.parts.laravel import CALLBACK_PATH, prepare
from tests.parts.laravel_fpm import LaravelFpm
from tests.parts.postgres import PostgresServer
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import ENVIRONMENT, Deployment, check
from tests.shims.laravel.test_conformance import PROFILE

# nginx refuses these with 400 before any application sees them.
NGINX_ANSWERS = {"headers/two-authorization-headers"}

pytestmark = [pytest.mark.xdist_group("laravel"), pytest.mark.long]


@pytest.mark.parametrize("memory", ["1", "0"], ids=["apcu", "files"])
def test_all_cases(
    postgres: PostgresServer,
    devise_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    memory: str,
) -> None:
    require("laravel_shim")
    require("php_fpm")
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE)
        app = LaravelFpm.of(
            prepare(
                dsn,
                deployment.issuer,
                settings=deployment.settings(stage_public_key="", redirect_uri=""),
                pepper=oracle()[BOB]["pepper"],
                extra=ENVIRONMENT,
            ),
            options=(f"apc.enabled={memory}",),
        )
        try:
            app.start()
            found = deployment.verify(
                app.base_url, stage=app.stage, redirect_uri=f"{app.base_url}{CALLBACK_PATH}"
            )
        finally:
            app.remove()
    for result in found.values():
        check(result, gaps=NGINX_ANSWERS)
