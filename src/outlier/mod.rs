//! Calibrated, explained outliers.
