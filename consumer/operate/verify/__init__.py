"""`consumer verify`: whether the tables say what the lake says, and how they are mended."""
