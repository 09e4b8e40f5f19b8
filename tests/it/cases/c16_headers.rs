//! Bedside records with unusual headers.
