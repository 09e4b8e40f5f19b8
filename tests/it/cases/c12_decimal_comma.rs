//! Decimal commas, thousands separators and dates with the day first.
