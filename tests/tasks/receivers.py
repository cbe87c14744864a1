"""Servers that receive metrics: statsd over UDP, and an OpenTelemetry collector over HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Statsd:
    """The lines that were received."""

    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which Airflow sends its metrics here."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.port),
            "AIRFLOW__METRICS__STATSD_PREFIX": "airflow",
        }

    def ours(self) -> list[str]:
        """Return the lines about OMS."""
        return [line for line in self.lines if line.startswith("airflow.oms.")]


@contextmanager
def statsd() -> Iterator[Statsd]:
    """Listen while the block runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.1)
        received, over = Statsd(listening.getsockname()[1]), threading.Event()

        def listen() -> None:
            while True:
                try:
                    received.lines += listening.recv(65536).decode().splitlines()
                except TimeoutError:
                    if over.is_set():
                        return

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield received
        finally:
            over.set()
            thread.join()


@dataclass
class Collector:
    """The points that were received: for each metric its kind, and its points as value and attributes."""

    port: int
    bodies: list[bytes] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which Airflow sends its metrics here."""
        return {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "AIRFLOW__METRICS__OTEL_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__OTEL_PORT": str(self.port),
            "AIRFLOW__METRICS__OTEL_INTERVAL_MILLISECONDS": "200",
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"http://127.0.0.1:{self.port}/v1/metrics",
        }

    def ours(self) -> dict[str, tuple[str, list[tuple[float, dict[str, str]]]]]:
        """Return the last point of each metric about OMS."""
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        found = {}
        for body in self.bodies:
            request = ExportMetricsServiceRequest.FromString(body)
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        if ".oms." in metric.name:
                            kind = metric.WhichOneof("data")
                            points = [
                                (
                                    point.as_double if point.WhichOneof("value") == "as_double" else point.as_int,
                                    {each.key: each.value.string_value for each in point.attributes},
                                )
                                for point in getattr(metric, kind).data_points
                            ]
                            found[metric.name] = (kind, points)
        return found


@contextmanager
def collector() -> Iterator[Collector]:
    """Listen while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *given: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received = Collector(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()
