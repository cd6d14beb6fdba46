"""The database schema: plain SQL files `NNNN_name.sql`, each a step from the one before it."""
