//! Which texts of a column name an item: by the form of the text (`LAB//51222//g/dL`), exactly, or by a
//! pattern.

use polars_core::prelude::PlHashSet;

use crate::ingest::text::matches;

/// The form of an item's text: what stands before the item, between item and unit, and at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) struct Form {
    before: String,
    /// None where the text says no unit.
    between: Option<String>,
    behind: String,
}

impl Form {
    /// Reads `LAB//{item}//{unit}`; a schema check has refused what is none.
    pub(in crate::ingest) fn new(text: &str) -> Self {
        let (before, rest) = text.split_once("{item}").unwrap_or((text, ""));
        let (between, behind) = match rest.split_once("{unit}") {
            Some((between, behind)) => (Some(between.to_owned()), behind),
            None => (None, rest),
        };
        Self { before: before.to_owned(), between, behind: behind.to_owned() }
    }

    /// The item and the unit of a text that has the form, both trimmed. What separates them is looked for
    /// from the end, because items hold such signs more often than units do.
    pub(in crate::ingest) fn split<'t>(&self, text: &'t str) -> Option<(&'t str, Option<&'t str>)> {
        let inner = text.trim().strip_prefix(self.before.as_str())?.strip_suffix(self.behind.as_str())?;
        match &self.between {
            None => Some((inner.trim(), None)),
            Some(between) => {
                let (item, unit) = inner.rsplit_once(between.as_str())?;
                Some((item.trim(), Some(unit.trim())))
            }
        }
    }
}

/// Between the two texts of an item that is a pair.
pub(in crate::ingest) const PAIR: &str = "//";

/// The items of a column of texts, as a reader needs them to leave other rows behind.
#[derive(Debug, Clone, Default)]
pub(in crate::ingest) struct ItemTexts {
    pub(in crate::ingest) form: Option<Form>,
    /// Exact names; of pairs their first texts.
    pub(in crate::ingest) names: PlHashSet<String>,
    /// Patterns with `*`; of pairs their first texts.
    pub(in crate::ingest) patterns: Vec<String>,
}

impl ItemTexts {
    /// Whether a cell may be that of an item.
    pub(in crate::ingest) fn may_be(&self, text: &str) -> bool {
        let item = match &self.form {
            None => Some(text),
            Some(form) => form.split(text).map(|(item, _)| item),
        };
        item.is_some_and(|item| {
            self.names.contains(item) || self.patterns.iter().any(|pattern| matches(pattern, item))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_divides_a_text_into_item_and_unit() {
        let lab = Form::new("LAB//{item}//{unit}");
        assert_eq!(lab.split("LAB//51222//g/dL"), Some(("51222", Some("g/dL"))));
        assert_eq!(lab.split("LAB//51222"), None);
        assert_eq!(lab.split("DIAGNOSIS//ICD//9"), None);
        let drug = Form::new("{item} ({unit})");
        assert_eq!(
            drug.split("Volume (mL) Magnesium  (ml/hr)"),
            Some(("Volume (mL) Magnesium", Some("ml/hr")))
        );
        assert_eq!(drug.split("Norepinephrine ()"), Some(("Norepinephrine", Some(""))));
        assert_eq!(
            Form::new("INFUSION_START//{item}").split("INFUSION_START//221906"),
            Some(("221906", None))
        );
    }

    #[test]
    fn a_cell_may_be_an_item_by_name_or_by_pattern() {
        let texts = ItemTexts {
            form: None,
            names: ["Heart Rate".to_owned()].into_iter().collect(),
            patterns: vec!["Non-Invasive*".to_owned()],
        };
        assert!(texts.may_be("Heart Rate") && texts.may_be("Non-Invasive BP"));
        assert!(!texts.may_be("Heart") && !texts.may_be("Invasive BP"));
    }
}
