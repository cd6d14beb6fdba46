"""What producer and consumer agree on: sources, keys, envelopes, contracts, codes.

Pydantic and the standard library only; nothing in this package talks to the outside.
Put something here only if changing it would force both programs to be redeployed.
"""
