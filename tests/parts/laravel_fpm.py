"""The Laravel application as it runs in production: nginx before PHP-FPM, configuration and routes cached."""

from __future__ import annotations

from dataclasses import dataclass

from tests.parts.laravel import PHP, LaravelApp

CHILDREN = 3
# Unpacked beside the project PHP-FPM has no configuration of its own: it takes the command line's. It makes itself a session of
# its own, so it is ended by its id, and by the kernel where this shell is killed.
BOTH = """
PATH=$PATH:/usr/sbin
export PHP_INI_SCAN_DIR=$(php -r 'echo PHP_CONFIG_FILE_SCAN_DIR;')
trap 'kill $(jobs -p); wait; exit' INT TERM
rm -f fpm.sock
setpriv --pdeathsig TERM php-fpm$(php -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;') "$@" &
# What nginx answers without it looks like an answer.
until [ -S fpm.sock ] || ! kill -0 $!; do sleep 0.05; done
setpriv --pdeathsig TERM nginx -p . -c nginx.conf -e stderr &
wait -n
kill $(jobs -p)
"""
FPM = """
[global]
error_log = /dev/stderr
log_limit = 16384
daemonize = no
[www]
listen = {folder}/fpm.sock
pm = static
pm.max_children = {children}
clear_env = no
catch_workers_output = yes
decorate_workers_output = no
"""
# An answer that is whole once everything behind it is done: what a test counts next is counted by then.
WAITS = "php_admin_value[disable_functions] = fastcgi_finish_request\n"
NGINX = """
daemon off;
{user}
pid nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    fastcgi_temp_path fastcgi;
    proxy_temp_path proxy;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    large_client_header_buffers 8 128k;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            fastcgi_pass unix:{folder}/fpm.sock;
            fastcgi_buffer_size 64k;
            fastcgi_buffers 8 64k;
            fastcgi_param SCRIPT_FILENAME {folder}/public/index.php;
            fastcgi_param SCRIPT_NAME /index.php;
            fastcgi_param DOCUMENT_ROOT {folder}/public;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
            fastcgi_param SERVER_NAME $host;
            fastcgi_param SERVER_PORT $server_port;
            fastcgi_param REMOTE_ADDR $remote_addr;
        }}
    }}
}}
"""


@dataclass(kw_only=True)
class LaravelFpm(LaravelApp):
    """nginx and PHP-FPM with a few workers, which share opcache and APCu.

    Attributes:
        waits: An answer ends with what runs behind it, so that its counters can be read at once.
        options: More of PHP's settings, as `name=value`.
    """

    waits: bool = True
    options: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, app: LaravelApp, *, waits: bool = True, options: tuple[str, ...] = ()
    ) -> LaravelFpm:
        """Give a prepared application that was not started another server, and fill its caches.

        Raises:
            RuntimeError: Laravel cannot cache what is there.
        """
        served = cls(
            folder=app.folder,
            environment=app.environment,
            log_path=app.log_path,
            port=app.port,
            stage=app.stage,
            waits=waits,
            options=options,
        )
        served.cache()
        served.configure()
        return served

    def command(self) -> list[str]:
        """Give both servers, in a shell that ends them together."""
        more = (word for option in self.options for word in ("-d", option))
        fpm = ["-F", "-y", "fpm.conf", "-c", "/dev/null", *PHP[1:], *more]
        return ["bash", "-c", BOTH, "bash", *fpm, *self._root()]

    def cache(self) -> None:
        """Do what a deployment does."""
        for name in ("config:cache", "route:cache"):
            done = self.run(*PHP, "artisan", name)
            if done.returncode:
                raise RuntimeError(done.stdout + done.stderr)

    def configure(self) -> None:
        """Write what both servers read."""
        fpm = FPM.format(folder=self.folder, children=CHILDREN) + (WAITS if self.waits else "")
        (self.folder / "fpm.conf").write_text(fpm)
        user = "user root;" if self._root() else ""
        nginx = NGINX.format(folder=self.folder, port=self.port, user=user)
        (self.folder / "nginx.conf").write_text(nginx)

    def _root(self) -> list[str]:
        return ["-R"] if self.folder.stat().st_uid == 0 else []
