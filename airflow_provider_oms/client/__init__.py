"""OMS over HTTP, without Airflow.

``actions`` describes every action once. ``protocol`` turns a description into a request, and an answer into a model.
``sync`` and ``aio`` send requests and receive answers. ``models`` holds the typed answers, ``errors`` the errors.
"""
