"""One instance's counters as a process of its own, with faults on demand. Run by `shim_process`.

It stands where a shim's /migrator/metrics stands: real prometheus_client, real HTTP, and a marker that is checked by
code of its own. It decides nothing about requests; the test says what was counted.
"""

import hmac
import itertools
import json
import os
import sys
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

LABELS = ("path", "outcome", "stage", "reason", "client", "synthetic")
WINDOW_S = 60


class Shim:
    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.registry = CollectorRegistry()
        self.requests = Counter("auth_requests", "Requests.", LABELS, registry=self.registry)
        info = ("instance", "build", "baked", "stage", "epoch", "source")
        shim_info = Gauge("migrator_shim_info", "This shim.", info, registry=self.registry)
        shim_info.labels(instance, "1", "dual", "drain", "7", "live").set(1)
        started = Gauge("migrator_process_start_time_seconds", "Start.", registry=self.registry)
        started.set(float(os.environ.get("STARTED_AT") or time.time()))
        self.fault = ""
        self.log_path = Path(os.environ["LOG_PATH"]) if os.environ.get("LOG_PATH") else None
        self.nonces: set[str] = set()

    def count(
        self,
        *,
        path: str,
        outcome: str,
        reason: str = "",
        client: str = "browser",
        synthetic: str = "0",
        n: str = "1",
    ) -> None:
        self.requests.labels(path, outcome, "drain", reason, client, synthetic).inc(float(n))
        if self.log_path and self.fault != "mute":
            line = {"event": "auth", "path": path, "outcome": outcome, "stage": "drain"}
            line |= {
                "reason": reason,
                "client": client,
                **({"synthetic": True} if synthetic == "1" else {}),
            }
            with self.log_path.open("a") as log:
                log.write((json.dumps(line) + "\n") * int(n))

    def takes(self, marker: str) -> bool:
        version, _, rest = marker.partition(".")
        try:
            sent_at, nonce, mac = rest.split(".")
        except ValueError:
            return False
        signed = f"{version}.{sent_at}.{nonce}".encode()
        right = hmac.new(
            os.environ["MIGRATOR_CONTROL_SECRET"].encode(), signed, sha256
        ).hexdigest()
        fresh = abs(time.time() - int(sent_at)) <= WINDOW_S and nonce not in self.nonces
        self.nonces.add(nonce)
        return version == "v1" and len(nonce) == 32 and fresh and hmac.compare_digest(right, mac)

    def exposition(self) -> str:
        text = generate_latest(self.registry).decode()
        return SPOILT[self.fault](text) if self.fault in SPOILT else text


TURNS = itertools.count(1)
SPOILT = {
    "nan": lambda text: (
        text
        + 'auth_requests_total{client="api",outcome="accepted",path="foreign",reason="",stage="drain",synthetic="0"}'
        + " NaN\n"
    ),
    "duplicate": lambda text: (
        text
        + "".join(
            line + "\n" for line in text.splitlines() if line.startswith("auth_requests_total{")
        )
    ),
    # Each answer says that another process gave it.
    "turns": lambda text: text.replace(
        "\nmigrator_process_start_time_seconds ",
        f"\nmigrator_process_start_time_seconds {next(TURNS)}",
    ),
    "two_starts": lambda text: text + 'migrator_process_start_time_seconds{worker="2"} 1\n',
    "no_info": lambda text: (
        "\n".join(line for line in text.splitlines() if "shim_info" not in line) + "\n"
    ),
    "garbage": lambda _text: "<html>It works!</html>",
    "old": lambda text: "".join(
        line
        if line.startswith("#")
        else f"{line.rstrip()} {int(time.time() * 1000) - 3_600_000}\n"
        for line in text.splitlines(keepends=True)
    ),
    # Before there were kinds of client.
    "older": lambda text: text.replace('client="browser",', ""),
    "other_label": lambda text: text.replace('synthetic="', 'robot="'),
}


class Handler(BaseHTTPRequestHandler):
    shim: Shim

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        marker = self.headers.get("X-Migrator-Control", "")
        if path == "/migrator/metrics":
            self.metrics()
        elif marker and self.shim.fault != "deaf" and self.shim.takes(marker):
            self.shim.count(path="legacy", outcome="accepted", synthetic="1")
            self.answer(204)
        else:
            self.answer(404)

    def metrics(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {os.environ['MIGRATOR_METRICS_TOKEN']}":
            self.answer(404)
        elif self.shim.fault == "broken":
            self.answer(500)
        elif self.shim.fault == "cached":
            self.answer(200, self.shim.exposition(), Age="3600")
        else:
            self.answer(200, self.shim.exposition())

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/_count":
            self.shim.count(**dict(parse_qsl(url.query, keep_blank_values=True)))
        elif url.path == "/_fault":
            self.shim.fault = url.query
        elif url.path == "/_fresh":
            Handler.shim = Shim(self.shim.instance)
        self.answer(200, json.dumps({"fault": self.shim.fault}))

    def answer(self, status: int, body: str = "", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    Handler.shim = Shim(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
    print("ready", flush=True)
    server.serve_forever()
