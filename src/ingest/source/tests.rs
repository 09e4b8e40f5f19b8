//! Tables of every kind, read and compared.
