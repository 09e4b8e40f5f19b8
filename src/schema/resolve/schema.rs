//! A schema as a whole: its tables, the concepts that it finds and the variables of its own.

use super::concepts;
use super::derived::{self, Pending};
use super::record::{Layout, layout};
use super::variables::{Reading, check_name};
use crate::schema::problems::Problems;
use crate::schema::raw::{Get, SchemaFile};
use crate::schema::{Concept, Schema, Variable};

/// Resolves a whole schema; `dictionary` says what concepts are.
pub(super) fn schema(problems: &Problems<'_>, raw: &SchemaFile, dictionary: &[Concept]) -> Option<Schema> {
    let layout = layout(problems, raw);
    let mut variables: Vec<Variable> = Vec::new();
    let mut pending: Vec<Pending> = Vec::new();
    let found = raw.concepts.get();
    for (name, field) in found.iter().flat_map(|entries| &entries.0) {
        let place = concepts::Place { problems, name, at: &field.key };
        variables.extend(field.get().and_then(|raw| place.found(raw, dictionary, layout.as_ref())));
    }
    let entries = raw.variables.get();
    for (name, field) in entries.iter().flat_map(|entries| &entries.0) {
        check_name(problems, name, &field.key, &variables);
        if let Some(raw) = field.get() {
            let reading = Reading { problems, name, at: &field.key, raw };
            variables.push(reading.variable(layout.as_ref(), &mut pending));
        }
    }
    let given =
        found.map(|entries| entries.0.len()).into_iter().chain(entries.map(|entries| entries.0.len()));
    match (&raw.variables, &raw.concepts) {
        (None, None) => problems.add(0..0, "the schema needs `variables` or `concepts`"),
        (Some(field), _) if given.sum::<usize>() == 0 => {
            problems.add(field.key.clone(), "there are no variables");
        }
        _ => {}
    }
    for (name, field) in found.iter().flat_map(|entries| &entries.0) {
        if let Some(variable) = variables.iter().find(|v| v.name == *name) {
            derived::check_parts(problems, variable, &variables, &field.key);
        }
    }
    derived::mark_single(&mut variables);
    derived::check(problems, &variables, &pending);
    let Layout { record, tables } = layout?;
    let title = raw.title.owned().unwrap_or_default();
    Some(Schema { name: raw.name.owned()?, title, record, tables: tables.sound, variables })
}
