//! Encodings of single tables.
