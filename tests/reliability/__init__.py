"""Tests of what counts and judges in ``python -m reliability``; the campaigns themselves take minutes."""
