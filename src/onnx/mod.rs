//! Graphs of ONNX, the form in which other programs run a model: a builder for the operators that densities
//! and scores need, and the file.
//!
//! Everything is computed in double precision, which onnxruntime has kernels for on a CPU, of every operator
//! that is used here. Nothing in this module knows what a model is: each part of a model writes itself into a
//! graph, in a file called `onnx.rs` beside its own.
//!
//! # References
//! ONNX operators, <https://onnx.ai/onnx/operators/>; the file format, `onnx.proto` of the same project.

mod arithmetic;
mod graph;
mod linear;
mod proto;
mod search;

pub use graph::{Graph, Input, Value};
pub use linear::Linear;
pub use search::Search;

/// What a graph cannot express, in words that go on from "it has".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Inexpressible(pub String);
