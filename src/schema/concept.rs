//! What a clinical quantity is, wherever it is found.

use serde::Serialize;

use super::{Schema, Source, Variable};

/// What a pipeline names as its schema when it runs on every database that has its concepts.
pub(super) const CONCEPTS: &str = "concepts";

/// An entry of the dictionary of concepts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Concept {
    /// Name, unit, range and whatever else holds in every database; it has no sources.
    pub variable: Variable,
    /// The names of the levels of a categorical concept, where they are fixed.
    pub levels: Vec<String>,
    /// Whether it is one fact of a record, such as its age, even where a table states it as a measurement.
    pub fact: bool,
    /// Codes of LOINC.
    pub loinc: Vec<String>,
    /// Numbers of OMOP's standard concepts.
    pub omop: Vec<u64>,
    /// Where its definition comes from.
    pub source: Option<String>,
}

impl Concept {
    /// Whether a variable of a schema is this concept: it has the name, the unit and the kind.
    pub fn is(&self, variable: &Variable) -> bool {
        let own = &self.variable;
        (&own.name, &own.unit, own.kind) == (&variable.name, &variable.unit, variable.kind)
    }
}

/// The variable of a schema that is a concept of the dictionary under a name.
pub fn concept_in<'s>(dictionary: &[Concept], schema: &'s Schema, name: &str) -> Option<&'s Variable> {
    let concept = dictionary.iter().find(|concept| concept.variable.name == name)?;
    schema.variable(name).filter(|variable| concept.is(variable))
}

/// Variables of the dictionary as if each were measured somewhere, unless it is computed: what holds of
/// concepts alone is checked on these.
pub(super) fn as_measured(variable: &Variable) -> Variable {
    let anywhere = Source::Events {
        table: String::new(),
        items: Vec::new(),
        units: Vec::new(),
        scale: 1.0,
        offset: 0.0,
        rule: None,
        precedence: 0,
    };
    let sources = if variable.derived.is_some() { Vec::new() } else { vec![anywhere] };
    Variable { sources, ..variable.clone() }
}

/// The dictionary in the form of a schema of no database, by which pipelines over concepts are checked before
/// it is known what they will run on.
pub(super) fn as_schema(name: &str, title: &str, dictionary: &[Concept]) -> Schema {
    let record = super::Record {
        table: None,
        id: "record".into(),
        subject: "record".into(),
        start: None,
        end: None,
        order: None,
        episodes: None,
    };
    Schema {
        name: name.into(),
        title: title.into(),
        record,
        tables: Vec::new(),
        variables: dictionary.iter().map(|concept| as_measured(&concept.variable)).collect(),
    }
}
