//! Chart times that are off by a year.
