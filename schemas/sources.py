"""The former place of `schemas.registry`."""

from schemas.registry import ENDPOINTS, ENDPOINTS_BY_NAME, Endpoint, Source

__all__ = ["ENDPOINTS", "ENDPOINTS_BY_NAME", "Endpoint", "Source"]
