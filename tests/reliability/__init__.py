"""Tests of the code in ``python -m reliability`` that counts and judges. The campaigns themselves take minutes."""
