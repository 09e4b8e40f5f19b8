//! Patient columns under other names.
