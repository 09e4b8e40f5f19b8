//! Which concepts two databases have: `schema compare`.

use std::fmt::Write as _;

use serde::Serialize;

use super::concept::concept_in;
use super::render::source_text;
use super::{Concept, Schema, Source, Variable};

/// Two schemas side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Name of the first.
    pub one: String,
    /// Name of the second.
    pub other: String,
    /// The concepts that at least one of them has, in the order of the dictionary.
    pub concepts: Vec<Compared>,
}

/// A concept in two schemas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// Name.
    pub concept: String,
    /// Unit of the values in both.
    pub unit: String,
    /// Where the first finds it; none where it has not.
    pub one: Option<Vec<String>>,
    /// Where the second finds it.
    pub other: Option<Vec<String>>,
}

/// Puts two schemas side by side.
pub fn compare(dictionary: &[Concept], one: &Schema, other: &Schema) -> Comparison {
    let concept = |concept: &Concept| {
        let name = &concept.variable.name;
        let of = |schema| concept_in(dictionary, schema, name).map(places);
        let (first, second) = (of(one), of(other));
        let unit = concept.variable.unit.clone();
        let found = first.is_some() || second.is_some();
        found.then(|| Compared { concept: name.clone(), unit, one: first, other: second })
    };
    Comparison {
        one: one.name.clone(),
        other: other.name.clone(),
        concepts: dictionary.iter().filter_map(concept).collect(),
    }
}

/// Where a variable is found, with the unit that is expected there.
fn places(variable: &Variable) -> Vec<String> {
    if let Some(derived) = &variable.derived {
        return vec![format!("= {}", derived.expression)];
    }
    let place = |source: &Source| match source {
        Source::Events { units, .. } if !units.is_empty() => {
            format!("{} in {}", source_text(source), units.join(" or "))
        }
        _ => source_text(source),
    };
    variable.sources.iter().map(place).collect()
}

/// A comparison as text for people.
pub fn render_comparison(comparison: &Comparison) -> String {
    let Comparison { one, other, concepts } = comparison;
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut line = |text: String| {
        let _ = writeln!(out, "{}", text.trim_end());
    };
    let mut section = |title: String, fits: &dyn Fn(&Compared) -> bool| {
        let found: Vec<_> = concepts.iter().filter(|c| fits(c)).collect();
        line(format!("# {title}: {}", found.len()));
        for c in found {
            line(format!(
                "{}{}",
                c.concept,
                if c.unit.is_empty() { String::new() } else { format!(" [{}]", c.unit) }
            ));
            for (name, places) in [(one, &c.one), (other, &c.other)] {
                for place in places.iter().flatten() {
                    line(format!("  {name}: {place}"));
                }
            }
        }
        line(String::new());
    };
    section(format!("in {one} and in {other}"), &|c| c.one.is_some() && c.other.is_some());
    section(format!("in {one} alone"), &|c| c.other.is_none());
    section(format!("in {other} alone"), &|c| c.one.is_none());
    out
}
