"""What the receipts, parts and texts of a run say, gathered for its report."""
