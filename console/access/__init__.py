"""Who may look and who may act: hosts, origins, identities, signed plans."""
