"""Errors of TLS are temporary in both clients alike, and say whether OMS may have received the request."""

import json
import ssl

import pytest
from client_support import CLIENTS, outcome, settings_of
from tls_front import AFTER, BEFORE, TlsFront

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import (
    ErrorDetails,
    OmsConnectionLostError,
    OmsTlsError,
    OmsUnreachableError,
)
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.client.transport import connection_error
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.simulator import DataSource, Simulator
from tests.operators.running import Runner

CREATE = actions.create_label("a-label")


def met(front, authority):
    """Return how both clients end with a TLS server that fails in these ways."""
    with Simulator() as oms:
        ended = []
        for client in CLIENTS:
            with TlsFront(authority.server("127.0.0.1"), oms.port, **front) as between:
                settings = settings_of(oms, base_url=between.url, verify=str(authority.bundle), timeout=60)
                one = outcome(client, settings, CREATE)
                ended.append((one.error, one.message.replace(str(between.port), "port")))
        return ended, len(oms.labels)


def test_a_front_end_that_works(authority):
    ended, created = met({}, authority)

    assert ended[0] == (None, "")
    assert created == 1


@pytest.mark.parametrize("sent", BEFORE.values(), ids=BEFORE)
def test_a_handshake_that_breaks(sent, authority):
    """OMS never received the request."""
    ended, created = met({"before": sent}, authority)

    assert [error for error, _ in ended] == [OmsUnreachableError] * 2
    assert created == 0
    assert ended[0][0].temporary


@pytest.mark.parametrize("after", AFTER)
def test_a_connection_that_breaks_later(after, authority):
    """OMS has carried the request out, so its result has to be looked up."""
    ended, created = met({"after": after}, authority)

    assert [error for error, _ in ended] == [OmsConnectionLostError] * 2
    assert created == 1


def test_a_plain_answer_says_which_schema_may_be_wrong(authority):
    ended, _ = met({"before": BEFORE["a plain 502"]}, authority)

    assert ended[0] == ended[1]
    assert "doesn't speak https. If it never does, set the connection's schema to http." in ended[0][1]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("after", ["a damaged record", "an alert"])
def test_in_each_version_of_tls(after, version, authority, monkeypatch):
    real = authority.server

    def server(*names):
        context = real(*names)
        context.minimum_version = context.maximum_version = version
        return context

    monkeypatch.setattr(authority, "server", server)
    assert [error for error, _ in met({"after": after}, authority)[0]] == [OmsConnectionLostError] * 2


def ssl_error(kind, reason, library="SSL"):
    error = kind(1, f"[{library}: {reason}] words of OpenSSL")
    error.reason, error.library = reason, library
    return error


@pytest.mark.parametrize("connecting", [True, False])
@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (ssl_error(ssl.SSLError, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"), True),
        (ssl_error(ssl.SSLError, "TLSV1_ALERT_INTERNAL_ERROR"), True),
        (ssl_error(ssl.SSLError, "WRONG_VERSION_NUMBER"), True),
        (ssl_error(ssl.SSLError, "HTTP_REQUEST"), True),
        (ssl_error(ssl.SSLError, "SOMETHING_NEW"), True),
        (ssl_error(ssl.SSLEOFError, "UNEXPECTED_EOF_WHILE_READING"), True),
        (ssl_error(ssl.SSLZeroReturnError, None), True),
        (ssl_error(ssl.SSLError, "TLSV1_ALERT_PROTOCOL_VERSION"), False),
        (ssl_error(ssl.SSLError, "SSLV3_ALERT_HANDSHAKE_FAILURE"), False),
        (ssl_error(ssl.SSLError, "UNSUPPORTED_PROTOCOL"), False),
        (ssl_error(ssl.SSLError, "TLSV13_ALERT_CERTIFICATE_REQUIRED"), False),
        (ssl_error(ssl.SSLError, "NO_CERTIFICATE_OR_CRL_FOUND", "X509"), False),
        (ssl_error(ssl.SSLError, "NO_START_LINE", "PEM"), False),
    ],
    ids=lambda value: str(getattr(value, "reason", value)),
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_openssl_says(error, passes, wrapped, connecting):
    settings = ClientSettings("https://oms:443")
    raised = OSError("of a library", error) if wrapped else error

    meant = connection_error(raised, settings, "Asking", connecting=connecting, timed_out=False)

    passing = OmsUnreachableError if connecting else OmsConnectionLostError
    assert type(meant) is (passing if passes else OmsTlsError)
    assert meant.details == ErrorDetails(asked="Asking")


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("action", ["CreateProject", "CreateMySqlDataSource"])
def test_what_was_created_is_found_although_the_answer_was_lost(action, after, authority, monkeypatch):
    """The request isn't sent again: the name is looked up."""
    body = {"name": "new", "type": "MIGRATION", "transferMapping": operators.transfer_mapping({"shop": ["orders"]})}
    with Simulator() as oms:
        body["sourceEndpointId"] = oms.add_data_source(DataSource(name="source", type="MYSQL"))
        body["sinkEndpointId"] = oms.add_data_source(DataSource(name="target", type="OB_MYSQL"))
        with TlsFront(authority.server("127.0.0.1"), oms.port, after=after, action=action.encode()) as front:
            extra = {"verify": str(authority.bundle), "retries": 0, "timeout": 20}
            fields = {**oms.connection_kwargs, "host": front.url, "port": None, "extra": extra}
            monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps(fields))
            database = {"conn_type": "mysql", "host": "h", "login": "u", "password": "geheim"}
            monkeypatch.setenv("AIRFLOW_CONN_DATABASE", json.dumps(database))
            run = Runner(oms).go(
                operators.OmsCreateProjectOperator(task_id="task", project=body)
                if action == "CreateProject"
                else operators.OmsCreateMySqlDataSourceOperator(task_id="task", name="new", mysql_conn_id="database")
            )

        made = oms.projects if action == "CreateProject" else oms.data_sources
        assert run.error is None
        assert [one.id for one in made.values() if one.name == "new"] == [run.result]
        assert [request.action for request in oms.requests].count(action) == 1
