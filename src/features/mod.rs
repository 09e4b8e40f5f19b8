//! Records → real vectors: transforms fitted on the training split, dequantisation noise, splits, the bundle.
