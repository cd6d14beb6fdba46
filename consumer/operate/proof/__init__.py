"""What the lake says, brought beside the tables: `consumer verify`, `history` and `rebuild`."""
