//! Percentages of a category when half the rows are missing.
