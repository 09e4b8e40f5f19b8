//! What a database lacks of a pipeline that names concepts: it is left out, and told.

use super::computed::lacks;
use crate::schema::concept::concept_in;
use crate::schema::{Concept, Schema, Variable};

/// Parts of a computed concept that are named where it is left out; more are counted.
const NAMED: usize = 4;

/// What is left out of a pipeline over concepts.
pub(super) struct Lacking<'d> {
    pub(super) dictionary: &'d [Concept],
    /// Concepts that the database has not, each once, in the order of the features.
    pub(super) names: Vec<String>,
    /// Rules that test one of them.
    pub(super) rules: Vec<String>,
}

impl Lacking<'_> {
    /// The concept in a schema; one of the dictionary that is not there is left out (`Ok(None)`).
    ///
    /// # Errors
    /// A name that the dictionary has not either.
    pub(super) fn find<'s>(&mut self, schema: &'s Schema, name: &str) -> Result<Option<&'s Variable>, ()> {
        if let Some(found) = concept_in(self.dictionary, schema, name) {
            return Ok(Some(found));
        }
        if !self.dictionary.iter().any(|concept| concept.variable.name == name) {
            return Err(());
        }
        let parts = lacks(self.dictionary, schema, name);
        let told = match parts.as_slice() {
            [only] if only == name => name.to_owned(),
            [] => name.to_owned(),
            parts => {
                let more = parts.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let named: Vec<&str> = parts.iter().take(NAMED).map(String::as_str).collect();
                format!("{name} (for want of {}{more})", named.join(", "))
            }
        };
        if !self.names.contains(&told) {
            self.names.push(told);
        }
        Ok(None)
    }

    /// Whether a name is that of a concept that is one fact of a record.
    pub(super) fn is_fact(&self, name: &str) -> bool {
        self.dictionary.iter().any(|concept| concept.variable.name == name && concept.fact)
    }

    /// As texts: the concepts, then the rules.
    pub(super) fn told(self) -> Vec<String> {
        let rules = self.rules.into_iter().map(|rule| format!("the rule \"{rule}\""));
        self.names.into_iter().chain(rules).collect()
    }
}
