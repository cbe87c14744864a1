"""The tests, and modules that several of them share."""
