//! Decimals, small integers and dictionaries in Parquet event tables.
