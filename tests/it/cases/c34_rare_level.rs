//! Levels that are rare in training or were never met.
