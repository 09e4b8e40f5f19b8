//! The format of schema and pipeline files: what may be written, and nothing of what it means.
//!
//! These types are the one definition of the format. [`reader`] fills them and tells what does not fit, and
//! the JSON Schema is derived from them. What the parts say of each other is looked at by `resolve`.
//! Attributes give bounds of numbers and keys that go together to the JSON Schema; `resolve` tells what is
//! wrong with them in a sentence.

mod concept;
mod field;
mod grid;
mod json_schema;
mod node;
mod pipeline;
mod reader;
mod rule;
mod schema;
mod source;
mod table;
mod variable;
mod waveform;
mod wide;
mod words;

pub use json_schema::{concepts_json_schema, pipeline_json_schema, schema_json_schema};

pub(super) use concept::{Concept, ConceptsFile, Found};
pub(super) use field::{Entries, Field, Get, List, Pairs, Text, TextOr, key};
pub(super) use grid::Grid;
pub(super) use pipeline::{Feature, PipelineFile, Window};
pub(super) use reader::read;
pub(super) use rule::{Between, CohortRule};
pub(super) use schema::{Episodes, Record, SchemaFile};
pub(super) use source::{AgeSource, Cell, ColumnSource, EventsSource, Source, YearsSource};
pub(super) use table::{Events, Table};
pub(super) use variable::Variable;
pub(super) use waveform::Waveform;
pub(super) use wide::Wide;
