"""The connection form for Airflow 2.11 to 3.1, made from the form that the provider info declares for later versions.

Source: docs/develop/airflow-facts.md#connection-form
"""

from __future__ import annotations

from typing import Any

from airflow_provider_oms.get_provider_info import get_provider_info


def declared_form() -> dict[str, Any]:
    """Return the connection type that the provider info declares."""
    return get_provider_info()["connection-types"][0]  # type: ignore[no-any-return, no-untyped-call]


def ui_field_behaviour() -> dict[str, Any]:
    """Return the names, placeholders and hidden fields of the form, for ``get_ui_field_behaviour`` on Airflow 2.11."""
    declared = declared_form()["ui-field-behaviour"]
    return {
        "hidden_fields": declared["hidden-fields"],
        "relabeling": declared["relabeling"],
        "placeholders": declared["placeholders"],
    }


def form_widgets() -> dict[str, Any]:
    """Return the form's additional fields, for ``get_connection_form_widgets`` on Airflow 2.11 to 3.1.

    :return: a wtforms field for each declared field; none if wtforms or FAB is missing, because an ImportError would
        make Airflow drop the names of the other fields, too
    """
    try:
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from wtforms import StringField
        from wtforms.validators import Optional
    except ImportError:
        return {}
    return {
        name: StringField(
            field["label"], description=field["description"], widget=BS3TextFieldWidget(), validators=[Optional()]
        )
        for name, field in declared_form()["conn-fields"].items()
    }
