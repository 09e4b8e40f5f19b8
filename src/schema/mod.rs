//! What the source data *are* ([`Schema`]) and what is *done* with them ([`Pipeline`]), independent of any
//! file reader. Both are TOML, compiled in under a name or read from a path of the user's own.
//!
//! ```
//! let (pipeline, schema) = cohort_flow::schema::load_pipeline("mimic3-first-24h")?;
//! let schema = schema.expect("only wide tables have none");
//! assert!(pipeline.features.iter().all(|feature| schema.variable(&feature.variable).is_some()));
//! # Ok::<(), cohort_flow::schema::SchemaError>(())
//! ```

#![allow(
    clippy::ref_option,
    clippy::redundant_closure_for_method_calls,
    clippy::struct_field_names,
    reason = "a field of a raw type is read where it lies, by methods of long paths, and is called as in the \
              file"
)]

mod aggregation;
mod compare;
mod concept;
mod draft;
mod dtype;
mod enums;
mod error;
mod expression;
mod fingerprint;
mod grid;
mod kind;
mod model;
mod pipeline;
mod problems;
mod raw;
mod registry;
mod render;
mod resolve;
mod settings;
pub(crate) mod suggest;
mod table;
#[cfg(test)]
mod tests;
mod waveform;

pub use aggregation::Aggregation;
pub use compare::{Compared, Comparison, compare, render_comparison};
pub use concept::{Concept, concept_in};
pub use draft::{DraftColumn, draft_pipeline};
pub use dtype::DType;
pub(crate) use enums::words;
pub use error::{Description, Problem, SchemaError, SettingProblem};
pub use expression::{Expression, ExpressionProblem, Fold, Function, Known, Node, Operand, Past};
pub use fingerprint::{canonical_json, fingerprint};
pub use grid::Grid;
pub use kind::Kind;
pub use model::{Conversion, Derived, Episodes, Item, Record, Rule, Schema, Source, Variable, Years};
pub use pipeline::{
    Anchor, CohortRule, DecimalMark, Feature, MissingParts, Pipeline, PipelineKind, Predicate, Split,
    SplitFractions, TransformKind, WideTable, Window,
};
pub use raw::{concepts_json_schema, pipeline_json_schema, schema_json_schema};
pub use registry::{
    is_over_concepts, is_pipeline, load_pipeline, load_pipeline_on, load_schema, pipeline_names,
    pipeline_text, schema_names, schema_text,
};
pub use render::{render_pipeline, render_schema};
pub use resolve::{dictionary, parse_concepts, parse_pipeline, parse_schema, same_unit};
pub use settings::apply_settings;
pub use table::{Between, DropRule, EventColumns, IdInName, KeepRule, Operator, Related, Table, TableKind};
pub use waveform::{Normalise, SplitBy, Waveform};
