//! What the report says of levels that were never met in training.
