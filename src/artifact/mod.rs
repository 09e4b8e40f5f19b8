//! The model folder: safetensors + JSON, versioned.
