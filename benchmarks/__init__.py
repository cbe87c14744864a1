"""Benchmarks of the provider: each figure is a ratio, whose sides are measured together in one run on one machine.

``python -m benchmarks`` runs them all. Each file measures one thing; :mod:`benchmarks.row` says what a row holds.
"""
