"""`consumer doctor`: what is wrong with a deployment, and what to do about it.

Probes gather facts and never change anything; checks are pure functions from facts to findings.
"""
