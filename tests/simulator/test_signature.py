"""Alibaba Cloud's signature, as its servers check it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from airflow_provider_oms.simulator import signature
from airflow_provider_oms.simulator.signature import SignedRequest

#: The example of Alibaba Cloud's documentation, "V3 request structure and signature".
DOCUMENTED = SignedRequest(
    "POST",
    "/",
    "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
    {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    },
    b"",
)
SECRET = "YourAccessKeySecret"
SIGNATURE = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
HEADER = (
    "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders="
    "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=" + SIGNATURE
)


def test_the_documented_example():
    authorization = signature.parse(HEADER)
    assert authorization is not None
    assert authorization.access_key_id == "YourAccessKeyId"
    assert signature.unsigned(DOCUMENTED, authorization) == []
    assert signature.sign(DOCUMENTED, authorization.signed_headers, SECRET) == SIGNATURE
    assert signature.is_signed(DOCUMENTED, authorization, SECRET)
    assert not signature.is_signed(DOCUMENTED, authorization, "another secret")


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"path": "/x"},
        {"query": ""},
        {"body": b"x"},
        {"headers": DOCUMENTED.headers | {"x-acs-date": "2023-10-26T10:22:33Z"}},
        {"headers": DOCUMENTED.headers | {"x-acs-content-sha256": "0" * 64}},
    ],
)
def test_whatever_is_changed_the_signature_does_not_fit(change):
    authorization = signature.parse(HEADER)
    assert authorization is not None
    assert not signature.is_signed(replace(DOCUMENTED, **change), authorization, SECRET)


def test_a_header_that_is_not_signed_is_named():
    authorization = signature.parse(HEADER)
    assert authorization is not None
    request = replace(DOCUMENTED, headers=DOCUMENTED.headers | {"x-acs-security-token": "t", "accept": "*/*"})
    assert signature.unsigned(request, authorization) == ["x-acs-security-token"]


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", HEADER.replace("ACS3", "ACS4"), HEADER.replace(",", ";")])
def test_other_headers_are_none_of_its(header):
    assert signature.parse(header) is None
