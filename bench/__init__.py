"""How fast the loader is, against named limits and peers: one run, one server, ratios.

Run by `make bench`. Measures on real documents of the simulated ERP; nothing of the product imports it.
"""
