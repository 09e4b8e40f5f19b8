//! Conditional samples keep what was given.
