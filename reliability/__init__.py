"""What the provider survives, tried and counted: ``python -m reliability`` from the top of a checkout.

No part of what is installed. ``docs/reliability.md`` says what each figure means.
"""
