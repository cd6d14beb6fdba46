"""Tests of deploy/ that need more than PyPI has: `make deploy-test`."""
