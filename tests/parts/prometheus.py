"""A real Prometheus that scrapes three instances five times a second, under several sets of labels."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.parts.postgres import free_port
from tests.parts.program import Program
from tests.parts.shim_process import METRICS_TOKEN, ShimProcess

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
- job_name: shop
  metrics_path: /migrator/metrics
  authorization: {{credentials: {token}}}
  static_configs: {targets}
- job_name: generated
  metrics_path: /migrator/metrics
  authorization: {{credentials: {token}}}
  static_configs: [{{targets: ["127.0.0.1:{generated_port}"]}}]
"""


@dataclass(kw_only=True)
class PrometheusServer(Program):
    """Prometheus in a folder; what it has stored outlives a stop.

    It takes five seconds to find new targets, so all of them stand in its configuration from the first:
    the instances of case `pair`, each alone as `web-1` and `web-2`, the first one twice as `replicas`,
    and as `twins` two of one name. The job `generated` is a generated shim that a test may start.
    """

    health_path: str = "/-/ready"
    web_1: ShimProcess = field(default_factory=lambda: ShimProcess("web-1"))
    web_2: ShimProcess = field(default_factory=lambda: ShimProcess("web-2"))
    generated_port: int = field(default_factory=free_port)
    twin: ShimProcess = field(default_factory=lambda: ShimProcess("web-1"))

    def command(self) -> list[str]:
        """Give the server with its storage beside its configuration."""
        return [
            "prometheus",
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def configure(self) -> None:
        """Write what is scraped."""
        cases = [
            ("pair", [self.web_1, self.web_2], {}),
            ("web-1", [self.web_1], {}),
            ("web-2", [self.web_2], {}),
            ("replicas", [self.web_1], {"replica": "a"}),
            ("replicas", [self.web_1], {"replica": "b"}),
            ("twins", [self.web_1, self.twin], {}),
        ]
        targets = [
            {
                "targets": [shim.address.removeprefix("http://") for shim in shims],
                "labels": {"case": case, **labels},
            }
            for case, shims, labels in cases
        ]
        text = CONFIG.format(
            token=METRICS_TOKEN,
            targets=json.dumps(targets),
            generated_port=self.generated_port,
        )
        (self.folder / "prometheus.yml").write_text(text, encoding="utf-8")


def prepare(folder: Path) -> PrometheusServer:
    """Write the configuration. Starts nothing."""
    log = folder / "prometheus.log"
    server = PrometheusServer(folder=folder, environment=dict(os.environ), log_path=log)
    server.configure()
    return server
