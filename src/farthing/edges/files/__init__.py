"""Event files: CSV, NDJSON, JSON arrays and Parquet, read row by row into facts, each bad row refused with its place."""
