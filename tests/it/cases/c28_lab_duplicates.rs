//! Laboratory values that come twice.
