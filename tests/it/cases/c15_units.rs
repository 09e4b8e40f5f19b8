//! Bedside records whose units differ between records or segments.
