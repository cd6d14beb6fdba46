"""The simulated ERP: endpoints that answer like a restaurant chain's point of sale.

Every answer follows from (seed, store, business day, revision) alone, so a test can ask for
the same day again and hold the warehouse against the control totals.
"""
