//! The report on a column with thousands of levels.
