//! Samples keep the support of the data.
