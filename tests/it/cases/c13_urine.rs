//! Output rows that were exported more than once.
