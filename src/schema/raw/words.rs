//! What messages call the parts of the format.

use schemars::SchemaGenerator;
use serde_json::Value;

use super::{CohortRule, Source};

/// What a feature may be.
pub(super) const TEXT_OR_TABLE: &str = "a text like \"heart_rate:max\" or a table";

/// What a section is called that stands under a key; `key` is the author's own name for it where it has one.
pub(super) fn title(section: &str, key: &str, parent: &str) -> String {
    match section {
        "record" => "the record".to_owned(),
        "tables" => format!("table `{key}`"),
        "events" => format!("`events` of {parent}"),
        "drop" => format!("a `drop` of {parent}"),
        "variables" => format!("variable `{key}`"),
        "concepts" => format!("concept `{key}`"),
        "keep" => format!("a `keep` of {parent}"),
        "between" | "id_in_name" => format!("`{section}` of {parent}"),
        "operator" => format!("the `operator` in {parent}"),
        "conversions" => format!("a conversion of {parent}"),
        "sources" => format!("a source of {parent}"),
        "features" => "a feature".to_owned(),
        "labels" => "a label".to_owned(),
        "rules" => "a rule".to_owned(),
        "window" => "the window".to_owned(),
        "split" => "the split".to_owned(),
        "wide" => "the wide table".to_owned(),
        "waveform" => "the waveforms".to_owned(),
        "grid" => "the pictures".to_owned(),
        _ => key.to_owned(),
    }
}

/// What the names of a fixed set stand for, where their key does not say so.
pub(super) fn choice(name: &str) -> Option<&'static str> {
    match name {
        "DType" => Some("column type"),
        "Kind" => Some("kind"),
        "DecimalMark" => Some("decimal mark"),
        _ => None,
    }
}

/// The forms of a table that has several.
pub(super) struct Forms {
    /// The keys of all forms.
    pub(super) keys: Vec<String>,
    /// How to write each.
    pub(super) hint: &'static str,
    of_source: bool,
}

impl Forms {
    /// Says that a table has to have one form.
    pub(super) fn one_of(&self, title: &str) -> String {
        if self.of_source {
            format!(
                "{title} needs exactly one of `items`, `column`, `birth`, `birth_year`, `age` and \
                 `anchor_age`"
            )
        } else {
            format!("{title} tests exactly one thing")
        }
    }

    /// Says that a key belongs to another form.
    pub(super) fn no_effect(&self, key: &str, form: &str) -> String {
        if self.of_source {
            format!("`{key}` has no effect beside `{form}`")
        } else {
            format!("`{key}` has no effect in this rule")
        }
    }
}

/// The forms of a type, if it has several.
pub(super) fn forms(name: &str) -> Option<Forms> {
    match name {
        "Source" => Some(Forms {
            keys: keys::<Source>(),
            hint: "`items` for measurements, `column` for a fact, `birth` for the age at the record's start, \
                   and the others where an age is stated in another way",
            of_source: true,
        }),
        "CohortRule" => Some(Forms {
            keys: keys::<CohortRule>(),
            hint: "`column` with `min` and `max`, `one_of`, `none_of` or `same_as`; `only_per = \"COLUMN\"`, \
                   `first_per_subject = true`, or `min_features = N`",
            of_source: false,
        }),
        _ => None,
    }
}

/// The keys of all forms of a type, each once.
fn keys<T: schemars::JsonSchema>() -> Vec<String> {
    let mut generator = SchemaGenerator::default();
    // The root holds a reference to the type; all that it consists of lies among the definitions.
    let _ = generator.subschema_for::<T>();
    let mut keys: Vec<String> = Vec::new();
    for form in generator.definitions().values() {
        for key in form.get("properties").and_then(Value::as_object).into_iter().flat_map(|p| p.keys()) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    keys
}
