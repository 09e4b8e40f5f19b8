//! What the source data *are* ([`Schema`]) and what is *done* with them ([`Pipeline`]), independent of any file
//! reader. Both are TOML, compiled in under a name or read from a path of the user's own.

mod model;
mod pipeline;

pub use model::{
    Aggregation, Conversion, DType, DropRule, EventColumns, Item, Kind, Record, Rule, Schema, Source, Table,
    TableKind, Variable,
};
pub use pipeline::{
    CohortRule, Feature, Pipeline, Predicate, Split, SplitFractions, TransformKind, WideTable, Window,
};
