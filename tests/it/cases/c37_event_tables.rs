//! Encodings and compression of event tables.
