"""What operators ask and do: dead letters, reports, reconciliation, diagnosis."""
