"""From the ERP's answers to the lake: once, or round after round."""
