"""Tests that the benchmarks still run."""
