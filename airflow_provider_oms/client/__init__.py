"""OMS over HTTP, with no Airflow in it.

``actions`` describes every action once, ``protocol`` turns a description into a request and an answer into a model,
``sync`` and ``aio`` carry both over the wire, ``models`` are what OMS said, ``errors`` are how OMS says no.
"""
