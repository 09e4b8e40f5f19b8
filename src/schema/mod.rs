//! What the source data *are* ([`Schema`]) and what is *done* with them ([`Pipeline`]), independent of any file
//! reader. Both are TOML, compiled in under a name or read from a path of the user's own.
//!
//! ```
//! let (pipeline, schema) = cohort_flow::schema::load_pipeline("mimic3-first-24h")?;
//! let schema = schema.expect("only wide tables have none");
//! assert!(pipeline.features.iter().all(|feature| schema.variable(&feature.variable).is_some()));
//! # Ok::<(), cohort_flow::schema::SchemaError>(())
//! ```

mod aggregation;
mod check;
mod draft;
mod error;
mod expression;
mod fingerprint;
mod json_schema;
mod model;
mod parse;
mod pipeline;
mod registry;
mod render;
mod settings;
pub(crate) mod suggest;
#[cfg(test)]
mod tests;
mod waveform;

pub use aggregation::Aggregation;
pub use check::{parse_pipeline, parse_schema};
pub use draft::{DraftColumn, draft_pipeline};
pub use error::{Description, Problem, SchemaError, SettingProblem};
pub use expression::{Expression, ExpressionProblem, Function, Known, Node, Operand};
pub use fingerprint::{canonical_json, fingerprint};
pub use json_schema::{pipeline_json_schema, schema_json_schema};
pub use model::{
    Conversion, DType, Derived, DropRule, EventColumns, Item, Kind, Record, Rule, Schema, Source, Table,
    TableKind, Variable,
};
pub use pipeline::{
    Anchor, CohortRule, DecimalMark, Feature, Pipeline, Predicate, Split, SplitFractions, TransformKind,
    WideTable, Window,
};
pub use registry::{
    is_pipeline, load_pipeline, load_schema, pipeline_names, pipeline_text, schema_names, schema_text,
};
pub use render::{render_pipeline, render_schema};
pub use settings::apply_settings;
pub use waveform::{Normalise, SplitBy, Waveform};
