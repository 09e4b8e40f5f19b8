//! Messages on a column with thousands of levels.
