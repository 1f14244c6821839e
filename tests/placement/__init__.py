"""Placement's own suites, run against a live service.

They come from the installed distributions, in a virtual environment of their own, when the tests
run. Nothing of them is kept here.
"""
