"""Benchmarks of the provider. Most figures are ratios, both sides of which are measured in the same run.

``python -m benchmarks`` runs them. Each file measures one thing; :mod:`benchmarks.row` describes a row of the table.
"""
