//! Codes with leading zeros are text.
