//! Event tables whose lines end in carriage returns.
