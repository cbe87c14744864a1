"""Counts which faults and crashes the provider survives: ``python -m reliability`` from the top of a checkout.

This is not part of the installed package. ``docs/reliability.md`` says what each figure means.
"""
