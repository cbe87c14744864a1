"""Tests that the pages are correct."""
