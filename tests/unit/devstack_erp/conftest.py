"""The fixtures of the simulated ERP."""

from tests.support.simulator import running, settings_of

__all__ = ["running", "settings_of"]
