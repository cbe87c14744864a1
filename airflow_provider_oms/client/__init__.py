"""OMS over HTTP, with no Airflow in it.

``actions`` describes every action once, ``protocol`` turns a description into a request and an answer into a model,
``sync`` and ``aio`` send and receive them, ``models`` are the typed answers, ``errors`` the errors.
"""
