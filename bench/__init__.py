"""How fast the loader is, against named limits and peers: one run, one server, ratios.

Run by `make bench`. Measures documents of the simulated ERP; the product never imports it.
"""
