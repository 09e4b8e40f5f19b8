//! Values that are hardly ever missing in training.
