"""Secrets are found in every spelling in which OMS may repeat them, and nothing else is removed."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from client_support import GENERATED
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_oms.client.redaction import MASK, NO_SECRETS, Secrets, secrets_in


def base64_of(secret):
    return base64.b64encode(secret.encode()).decode()


def escaped(secret, form):
    return "".join(form(char) if not char.isalnum() else char for char in secret)


def utf_16(char):
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


SPELLINGS = {
    "as it is": str,
    "Base64": base64_of,
    "Base64 without padding": lambda secret: base64_of(secret).rstrip("="),
    "Base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "Base64 in a URL": lambda secret: quote(base64_of(secret), safe=""),
    "Base64 as Gson writes it": lambda secret: base64_of(secret).replace("=", "\\u003d"),
    "Base64, later in a text": lambda secret: base64_of(f"user:{secret}"),
    "Base64, later by one": lambda secret: base64_of(f"users:{secret}"),
    "Base64, later by two": lambda secret: base64_of(f"a user:{secret}, and more"),
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a form": quote_plus,
    "in a URL in a URL": lambda secret: quote(quote(secret, safe=""), safe=""),
    "percent signs alone": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[1:-1],
    "JSON as Gson writes it": lambda secret: escaped(secret, utf_16),
    "HTML": html.escape,
    "HTML in numbers": lambda secret: "".join(f"&#{ord(char)};" for char in secret),
    "HTML in hexadecimal numbers": lambda secret: escaped(secret, lambda char: f"&#x{ord(char):X};"),
    "hexadecimal": lambda secret: secret.encode().hex(),
}

SECRETS = [
    "Pa55-of-source",
    "a b=c&d<e>'f\"g/h+i?",
    "geheim",
    "100 % sicher\\n",
    "%41%42&amp;\\u0041",
    "Übergrößenträger",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling(spelling, secret):
    written = spelling(secret)

    shown = Secrets(secret).redact(f"before {written} after")

    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert MASK in shown
    # The first and the last character of Base64 may also depend on the neighbouring characters.
    left = shown.removeprefix("before ").removesuffix(" after").replace(MASK, "")
    assert len(left) <= 30
    assert all(part not in shown for part in (secret, base64_of(secret).rstrip("=")))
    assert Secrets(secret).are_in(written) is (len(secret) >= 6)


@pytest.mark.parametrize("times", [1, 2, 7])
def test_every_occurrence(times):
    assert Secrets("geheim").redact("geheim, " * times) == f"{MASK}, " * times


def test_the_longest_first():
    assert Secrets("admin:geheim", "geheim").redact("of admin:geheim and geheim") == f"of {MASK} and {MASK}"


def test_overlapping_secrets():
    assert Secrets("abcdef", "defghi").redact("x abcdefghi y") == f"x {MASK} y"


@pytest.mark.parametrize("text", ["", "nothing", "gehei", "50 % off \\ & more", "%4", "\\u00", "&#;", "ge%68ei"])
def test_nothing_else(text):
    assert Secrets("geheim").redact(text) == text
    assert not Secrets("geheim").are_in(text)


def test_short_secrets_are_left_in_what_is_used_and_taken_out_of_what_is_shown():
    """A password of four letters may be equal to a word of OMS."""
    secrets = Secrets("done")

    assert secrets.redact("it is done") == f"it is {MASK}"
    assert not secrets.are_in('{"status": "done"}')
    assert Secrets("ab").redact("ab") == "ab"


def test_data_keeps_its_form():
    data = {"geheim1": ["x geheim1 y", 1, None, True, {"a": "geheim1"}], "b": 2.5}

    assert Secrets("geheim1").redact_data(data) == {MASK: [f"x {MASK} y", 1, None, True, {"a": MASK}], "b": 2.5}


def test_secrets_show_nothing_and_add_up():
    one, both = Secrets("geheim"), Secrets("geheim") | Secrets("anders", None, "")

    assert "geheim" not in repr(one) + str(one) + f"{one}"
    assert one | NO_SECRETS is one
    assert both == Secrets("anders", "geheim")
    assert len({both, Secrets("geheim", "anders"), one}) == 2
    assert not NO_SECRETS
    assert NO_SECRETS.redact("geheim") == "geheim"


@pytest.mark.parametrize("length", [100, 2_000, 200_000])
def test_the_effort_does_not_grow_with_the_length_of_the_secret(length):
    """The few forms of a secret are searched for once each, not once for every beginning."""
    secret = "ab" * (length // 2)
    secrets = Secrets(secret)

    assert len(secrets._forms) <= 16
    assert secrets.redact(f"{secret[:-1]} {secret} {secret[1:]}") == f"{secret[:-1]} {MASK} {secret[1:]}"


@GENERATED
@given(st.text(min_size=6, max_size=40), st.text(), st.text(), st.sampled_from(sorted(SPELLINGS)))
def test_any_secret_in_any_spelling(secret, before, after, spelling):
    try:
        written = before + SPELLINGS[spelling](secret) + after
    except UnicodeEncodeError:  # half a surrogate pair can't be encoded
        return
    shown = Secrets(secret).redact(written)

    assert MASK in shown
    assert secret in MASK or secret not in shown.replace(MASK, "") or secret in before + after


@GENERATED
@given(st.text(), st.text(max_size=10))
def test_no_text_breaks_it(text, secret):
    shown = Secrets(secret).redact(text)

    assert isinstance(shown, str)
    if MASK not in shown:
        assert shown.encode("utf-8", "replace") == text.encode("utf-8", "replace")


def test_what_is_secret_in_a_payload():
    payload = {
        "name": "n",
        "Password": base64_of("geheim"),
        "config": [{"accessKeySecret": "k", "innerDrcPassword": None}, {"token": ["t", {"x": "u"}]}],
        "passwordless": 5,
    }

    assert secrets_in(payload) == [base64_of("geheim"), "k", "t", "geheim"]
