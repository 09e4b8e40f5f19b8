//! Decimals, half floats and small integers in Parquet tables.
