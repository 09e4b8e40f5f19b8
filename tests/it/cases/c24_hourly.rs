//! Hourly windows that look back and never ahead.
