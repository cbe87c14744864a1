"""How fast the provider is: each figure a ratio, measured side by side in one run on one machine.

``python -m benchmarks`` runs them all. Each file measures one thing; :mod:`benchmarks.row` says what a row holds.
"""
