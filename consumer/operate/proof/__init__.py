"""What the lake says, brought beside the tables in a session of its own."""
