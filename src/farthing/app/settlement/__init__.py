"""What customers have at credit or owe beside their bills."""
