//! Gaussian mixtures by linfa.
