//! Bedside records with several samples per frame.
