//! Columns with an offset that single precision cannot hold.
