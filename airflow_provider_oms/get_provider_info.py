"""The metadata of this provider for Airflow.

This module imports nothing: Airflow loads it at every start, and an error in it stops Airflow as a whole. The
connection form of Airflow 3.2 and later is in this dictionary; the form of 2.11 is made from it (``hooks/form.py``).
Source: docs/develop/airflow-facts.md#metadata
"""


def get_provider_info():  # type: ignore[no-untyped-def]  # annotations would need an import
    """Return the provider's metadata, in the form of Airflow's ``provider_info.schema.json``."""
    return {
        "package-name": "airflow-provider-oms",
        "name": "OceanBase Migration Service",
        "description": "Make DAGs wait for milestones of OceanBase Migration Service (OMS) projects, and control them.",
        "integrations": [
            {
                "integration-name": "OceanBase Migration Service",
                "external-doc-url": "https://en.oceanbase.com/docs/oms-en",
                "tags": ["service"],
            }
        ],
        "hooks": [
            {
                "integration-name": "OceanBase Migration Service",
                "python-modules": ["airflow_provider_oms.hooks.oms"],
            }
        ],
        "sensors": [
            {
                "integration-name": "OceanBase Migration Service",
                "python-modules": ["airflow_provider_oms.sensors.oms"],
            }
        ],
        "operators": [
            {
                "integration-name": "OceanBase Migration Service",
                "python-modules": ["airflow_provider_oms.operators.oms"],
            }
        ],
        "triggers": [
            {
                "integration-name": "OceanBase Migration Service",
                "python-modules": ["airflow_provider_oms.triggers.oms", "airflow_provider_oms.triggers.first_poll"],
            }
        ],
        "config": {
            "oms": {
                "description": "OceanBase Migration Service (airflow-provider-oms).",
                "options": {
                    "max_concurrent_requests": {
                        "description": "How many requests a triggerer sends at the same time over each connection to "
                        "OMS, however many gates wait; further requests wait for their turn. Lower it for an OMS "
                        "that is under heavy load.",
                        "version_added": "0.1.0",
                        "type": "integer",
                        "example": "5",
                        "default": "20",
                    },
                    "progress_page": {
                        "description": 'Show the page "Migration progress" in Airflow: the state of a task\'s project, '
                        "and of all projects of a connection. It needs Airflow 3.1 or later. The API server sends the "
                        "requests to OMS, so it must be able to reach OMS.",
                        "version_added": "0.1.0",
                        "type": "boolean",
                        "example": "True",
                        "default": "False",
                    },
                    "list_above": {
                        "description": "If deferred gates wait for more projects of one connection than this, they use "
                        "one list of all projects per interval instead of asking for each project. The list can only "
                        "say 'not yet': before a gate opens or fails, its own project is asked for.",
                        "version_added": "0.1.0",
                        "type": "integer",
                        "example": "50",
                        "default": "10",
                    },
                    "metrics": {
                        "description": "Whether gates send metrics (lag, progress, outages, verdicts) with Airflow's "
                        "own (statsd, OpenTelemetry), from workers and triggerers.",
                        "version_added": "0.1.0",
                        "type": "boolean",
                        "example": "True",
                        "default": "False",
                    },
                    "lineage_databases": {
                        "description": "For OpenLineage: the name of the database, or of Oracle's service, that holds "
                        "the schemas at an address, because OMS doesn't give it. A JSON object with host:port as keys. "
                        "Tables of Oracle, PostgreSQL and DB2 at other addresses are left out.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": '{"10.0.0.5:1521": "ORCL"}',
                        "default": "",
                    },
                },
            }
        },
        "cli": ["airflow_provider_oms.cli.definition.get_oms_cli_commands"],
        "extra-links": [
            "airflow_provider_oms.links.oms.OmsConsoleLink",
            "airflow_provider_oms.links.oms.OmsProgressLink",
        ],
        "connection-types": [
            {
                "connection-type": "oms",
                "hook-class-name": "airflow_provider_oms.hooks.oms.OmsHook",
                "hook-name": "OceanBase Migration Service",
                "ui-field-behaviour": {
                    "hidden-fields": [],
                    "relabeling": {
                        "host": "OMS console host",
                        "port": "OMS console port",
                        "schema": "Protocol (http or https)",
                        "login": "OMS user",
                    },
                    "placeholders": {
                        "host": "oms.example.com",
                        "port": "8089",
                        "schema": "http",
                        "login": "a viewer is enough for sensors",
                        "verify": "true",
                        "timeout": "30",
                        "retries": "3",
                        "api_version": "v2",
                        "security_token": "for temporary credentials",
                        "console_url": "{base_url}/oms-v2/migration",
                    },
                },
                # Without defaults, which Airflow 3 would write into every connection that is saved.
                "conn-fields": {
                    "verify": {
                        "label": "Verify TLS",
                        "description": "true (default), false, or the path of a CA bundle.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "timeout": {
                        "label": "Timeout (s)",
                        "description": "Seconds for one request; default 30.",
                        "schema": {"type": ["number", "null"], "minimum": 1},
                    },
                    "retries": {
                        "label": "Retries",
                        "description": "How many times a failed read is tried again inside one call; default 3.",
                        "schema": {"type": ["integer", "null"], "minimum": 0},
                    },
                    "api_version": {
                        "label": "API version",
                        "description": "v2 (default) for OMS 4.1 and later, v3 for OMS 3.3 to 4.1.0, "
                        "alibaba_cloud for OMS in Alibaba Cloud (login and password are an AccessKey).",
                        "schema": {"type": ["string", "null"], "enum": ["v2", "v3", "alibaba_cloud"]},
                    },
                    "security_token": {
                        "label": "Security token",
                        "description": "The token of temporary credentials (STS), with alibaba_cloud.",
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                    "console_url": {
                        "label": "Console URL",
                        "description": "The address that the console link opens; {base_url} and {project_id} are "
                        "replaced. "
                        "Default: {base_url}/oms-v2/migration",
                        "schema": {"type": ["string", "null"]},
                    },
                },
            }
        ],
    }
