//! Drift of binaries, of counts with many zeros and of constants.
