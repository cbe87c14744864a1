"""Tests of oms-demo."""
