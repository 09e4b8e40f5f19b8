//! The dictionary of concepts, and concepts as a schema finds them: what they are comes from the dictionary,
//! where they are from the schema.

use toml::Spanned;

use super::derived::{self, Pending};
use super::record::Layout;
use super::sources;
use super::variables::{Reading, check_name};
use crate::schema::concept::as_measured;
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, ConceptsFile, Field, Found, Get, List, key};
use crate::schema::{Concept, Kind, Variable, suggest};

/// Resolves the dictionary.
pub(super) fn concepts(problems: &Problems<'_>, raw: &ConceptsFile) -> Vec<Concept> {
    let mut variables: Vec<Variable> = Vec::new();
    let mut concepts = Vec::new();
    let mut pending: Vec<Pending> = Vec::new();
    for (name, field) in raw.concepts.get().into_iter().flat_map(|entries| &entries.0) {
        check_name(problems, name, &field.key, &variables);
        let Some(raw) = field.get() else { continue };
        let said = as_variable(raw);
        let reading = Reading { problems, name, at: &field.key, raw: &said };
        let variable = reading.variable(None, &mut pending);
        if let Some(at) = key(&raw.levels).filter(|_| variable.kind != Kind::Categorical) {
            problems.add(at, format!("`levels` has no meaning for kind `{}`", variable.kind.name()));
        }
        variables.push(as_measured(&variable));
        concepts.push(Concept {
            variable,
            levels: raw.levels.get().map(List::cloned).unwrap_or_default(),
            fact: raw.fact.copied().unwrap_or(false),
            loinc: raw.loinc.get().map(List::cloned).unwrap_or_default(),
            omop: raw.omop.get().map(List::cloned).unwrap_or_default(),
            source: raw.source.owned(),
        });
    }
    derived::check(problems, &variables, &pending);
    concepts
}

/// What the dictionary says, in the form of a variable without sources.
fn as_variable(raw: &raw::Concept) -> raw::Variable {
    raw::Variable {
        label: Some(raw.label.clone()),
        group: Some(raw.group.clone()),
        unit: raw.unit.clone(),
        kind: raw.kind.clone(),
        range: raw.range.clone(),
        clip: None,
        resolution: raw.resolution.clone(),
        missing_codes: None,
        value_map: None,
        levels: None,
        absent: raw.absent.clone(),
        censored: raw.censored.clone(),
        conversions: raw.conversions.clone(),
        aggregate: raw.aggregate.clone(),
        sources: None,
        expression: raw.expression.clone(),
        within: raw.within.clone(),
        at: raw.at.clone(),
    }
}

/// What a schema says of a concept, in the same form.
fn as_found(raw: &Found) -> raw::Variable {
    raw::Variable {
        label: None,
        group: None,
        unit: None,
        kind: None,
        range: raw.range.clone(),
        clip: None,
        resolution: raw.resolution.clone(),
        missing_codes: raw.missing_codes.clone(),
        value_map: raw.value_map.clone(),
        levels: raw.levels.clone(),
        absent: raw.absent.clone(),
        censored: raw.censored.clone(),
        conversions: raw.conversions.clone(),
        aggregate: None,
        sources: raw.sources.clone(),
        expression: None,
        within: None,
        at: None,
    }
}

/// A concept in a schema.
pub(super) struct Place<'a> {
    pub(super) problems: &'a Problems<'a>,
    pub(super) name: &'a str,
    pub(super) at: &'a Span,
}

impl Place<'_> {
    /// The variable of a concept with the sources that a schema gives.
    pub(super) fn found(
        &self,
        raw: &Found,
        dictionary: &[Concept],
        layout: Option<&Layout>,
    ) -> Option<Variable> {
        let Some(concept) = dictionary.iter().find(|concept| concept.variable.name == self.name) else {
            let hint = suggest::hint(self.name, dictionary.iter().map(|c| c.variable.name.as_str()))
                .unwrap_or_else(|| "what is no concept is declared under `[variables]`".to_owned());
            self.problems.add_with_hint(self.at.clone(), format!("unknown concept `{}`", self.name), hint);
            return None;
        };
        let said = as_found(raw);
        let reading = Reading { problems: self.problems, name: self.name, at: self.at, raw: &said };
        let mut variable = concept.variable.clone();
        if variable.derived.is_some() {
            self.nothing_to_say(raw);
            return Some(variable);
        }
        self.check_keys(raw, variable.kind);
        if raw.range.is_some() {
            variable.range = reading.range();
        }
        if raw.resolution.is_some() {
            variable.resolution = reading.resolution(variable.kind, variable.range);
        }
        if raw.missing_codes.is_some() {
            variable.missing_codes = raw.missing_codes.get().map(List::cloned).unwrap_or_default();
        }
        variable.value_map = reading.value_map(variable.range);
        variable.levels = reading.levels(variable.kind);
        self.check_levels(raw, &variable, concept);
        if raw.absent.is_some() {
            variable.absent = reading.absent(variable.range);
        }
        let conversions = reading.conversions();
        // What the dictionary says of limits holds where a table states them; what a schema says has to be
        // there.
        let usual = variable.censored;
        variable.censored = raw.censored.copied().unwrap_or(false);
        if let Some(layout) = layout {
            variable.sources = sources::sources(self.problems, &raw.sources, self.at, layout, &variable);
            reading.check_units(&conversions, &variable.sources);
        }
        variable.censored = raw.censored.copied().unwrap_or(usual);
        // What a schema says of a unit goes before what holds everywhere.
        let own: Vec<_> = conversions.into_iter().map(Spanned::into_inner).collect();
        variable
            .conversions
            .retain(|usual| own.iter().all(|c| !super::units::same_unit(&c.unit, &usual.unit)));
        variable.conversions.splice(0..0, own);
        Some(variable)
    }

    fn nothing_to_say(&self, raw: &Found) {
        for (name, at) in [
            ("sources", key(&raw.sources)),
            ("range", key(&raw.range)),
            ("resolution", key(&raw.resolution)),
            ("missing_codes", key(&raw.missing_codes)),
            ("value_map", key(&raw.value_map)),
            ("levels", key(&raw.levels)),
            ("censored", key(&raw.censored)),
            ("absent", key(&raw.absent)),
            ("conversions", key(&raw.conversions)),
        ] {
            if let Some(at) = at {
                let message =
                    format!("concept `{}` is computed from others, it takes no `{name}`", self.name);
                self.problems.add(at, message);
            }
        }
    }

    fn check_keys(&self, raw: &Found, kind: Kind) {
        if kind != Kind::Categorical {
            return;
        }
        for (name, at) in [
            ("range", key(&raw.range)),
            ("resolution", key(&raw.resolution)),
            ("missing_codes", key(&raw.missing_codes)),
            ("value_map", key(&raw.value_map)),
            ("censored", key(&raw.censored)),
            ("absent", key(&raw.absent)),
            ("conversions", key(&raw.conversions)),
        ] {
            if let Some(at) = at {
                let message = format!("`{name}` has no meaning for kind `categorical`");
                self.problems.add_with_hint(at, message, "texts become levels by `levels`");
            }
        }
    }

    /// Where the dictionary names the levels, a schema brings no others.
    fn check_levels(&self, raw: &Found, variable: &Variable, concept: &Concept) {
        if concept.levels.is_empty() || variable.levels.is_empty() {
            return;
        }
        let of_field = |field: &Field<String>| field.spanned().map(|s| ((*s.get_ref()).clone(), s.span()));
        for (level, _) in raw.levels.get().iter().flat_map(|pairs| &pairs.0) {
            let Some((level, at)) = of_field(level) else { continue };
            if !concept.levels.contains(&level) {
                let hint = suggest::hint(&level, concept.levels.iter().map(String::as_str));
                self.problems.push(at, format!("concept `{}` has no level `{level}`", self.name), hint);
            }
        }
    }
}
