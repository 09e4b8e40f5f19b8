//! Tables from pandas and Polars whose columns are dictionary-encoded.
