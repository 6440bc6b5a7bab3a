"""What every room stands on: errors, files, keyed per-item work, table schemas, provenance."""
