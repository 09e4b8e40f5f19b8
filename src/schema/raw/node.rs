//! A value of a TOML document with what messages need to know about its surroundings.

use std::fmt;

use serde::de;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::words::{self, Forms};
use crate::schema::problems::{Problems, Span};
use crate::schema::suggest;

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// The problem is told already.
    Told,
    /// What stands there is not what has to be there.
    Wanted(String),
    /// Anything else, in full, with a hint.
    Message(String, Option<String>),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told => f.write_str("the problem is told already"),
            Self::Wanted(text) | Self::Message(text, _) => f.write_str(text),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    /// Types without a form that fits say by `#[serde(expecting)]` what is wanted.
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Wanted(message.to_string())
    }
}

pub(super) fn wanted<T>(what: &str) -> Result<T, Fault> {
    Err(Fault::Wanted(what.to_owned()))
}

/// What is read.
#[derive(Clone)]
pub(super) enum Value<'de> {
    /// The document.
    Root(&'de DeTable<'de>),
    /// A value of it.
    Of(&'de Spanned<DeValue<'de>>),
    /// A key.
    Key(&'de str, Span),
    /// Nothing stands where the type has a key.
    Missing,
}

/// A value with what messages need to know about its surroundings.
#[derive(Clone)]
pub(super) struct Node<'p, 'de> {
    pub(super) problems: &'p Problems<'p>,
    /// What messages call the section around it.
    pub(super) parent: &'p str,
    /// The key of the format that it belongs to.
    pub(super) section: &'p str,
    /// The key it stands under: the same, or a name of the author's own.
    pub(super) key: &'p str,
    /// The bytes of that key; those of an item of a list; those of the section where the key is missing.
    pub(super) at: Span,
    pub(super) value: Value<'de>,
    /// The form that a table of several forms has.
    pub(super) form: Option<(&'p Forms, &'p str)>,
}

impl<'de> Node<'_, 'de> {
    pub(super) fn span(&self) -> Span {
        match &self.value {
            Value::Of(value) => value.span(),
            Value::Key(_, span) => span.clone(),
            Value::Root(_) | Value::Missing => self.at.clone(),
        }
    }

    pub(super) fn value(&self) -> Result<&'de DeValue<'de>, Fault> {
        match &self.value {
            Value::Of(value) => Ok(value.get_ref()),
            Value::Missing => Err(Fault::Message(format!("{} needs `{}`", self.parent, self.key), None)),
            Value::Root(_) | Value::Key(..) => Err(Fault::Told),
        }
    }

    pub(super) fn text(&self) -> Result<&'de str, Fault> {
        match &self.value {
            Value::Key(name, _) => Ok(name),
            _ => self.value()?.as_str().map_or_else(|| wanted("a text"), Ok),
        }
    }

    pub(super) fn table(&self) -> Result<&'de DeTable<'de>, Fault> {
        match (&self.value, self.value()) {
            (Value::Root(table), _) => Ok(table),
            (_, value) => value?.as_table().map_or_else(|| wanted("a table"), Ok),
        }
    }

    pub(super) fn title(&self) -> String {
        words::title(self.section, self.key, self.parent)
    }

    /// Leaves the problem behind, at the value.
    pub(super) fn report(&self, fault: &Fault) {
        let (message, hint) = match fault {
            Fault::Told => return,
            Fault::Message(message, hint) => (message.clone(), hint.clone()),
            Fault::Wanted(wanted) => {
                let found = match self.value() {
                    Ok(DeValue::String(_)) => "a text",
                    Ok(DeValue::Integer(_)) => "a whole number",
                    Ok(DeValue::Float(_)) => "a number",
                    Ok(DeValue::Boolean(_)) => "true or false",
                    Ok(DeValue::Datetime(_)) => "a date",
                    Ok(DeValue::Array(_)) => "a list",
                    Ok(DeValue::Table(_)) | Err(_) => "a table",
                };
                // "It must be a whole number, 0 or more, found a whole number" would help nobody.
                let found = if wanted.starts_with(found) { "another" } else { found };
                (format!("`{}` must be {wanted}, found {found}", self.key), None)
            }
        };
        self.problems.push(self.span(), message, hint);
    }

    pub(super) fn item(&self, value: &'de Spanned<DeValue<'de>>) -> Self {
        Self { at: value.span(), value: Value::Of(value), ..self.clone() }
    }

    /// A table with the fields of a type: the others are told.
    pub(super) fn check_keys(&self, title: &str, table: &DeTable<'_>, fields: &[&str]) {
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if fields.contains(&name) {
                continue;
            }
            let (message, hint) = match self.form {
                Some((forms, form)) if forms.keys.iter().any(|k| k == name) => {
                    (forms.no_effect(name, form), None)
                }
                _ => {
                    (format!("unknown key `{name}` in {title}"), suggest::hint(name, fields.iter().copied()))
                }
            };
            self.problems.push(key.span(), message, hint);
        }
    }

    /// The texts and values of a table or of a list of pairs, one after the other.
    pub(super) fn pairs(&self) -> Result<Vec<Self>, Fault> {
        let DeValue::Array(items) = self.value()? else {
            let entries = entries(self.table()?).into_iter();
            return Ok(entries
                .flat_map(|(name, at, value)| [self.name(name, at), self.item(value)])
                .collect());
        };
        let mut readers = Vec::new();
        for item in items {
            match item.get_ref().as_array().map(|pair| &**pair) {
                Some([text, value]) => readers.extend([self.item(text), self.item(value)]),
                _ => {
                    let message = format!("each entry of `{}` is a pair `[text, value]`", self.key);
                    self.problems.add(item.span(), message);
                }
            }
        }
        Ok(readers)
    }

    pub(super) fn name(&self, name: &'de str, at: Span) -> Self {
        Self { at: at.clone(), value: Value::Key(name, at), ..self.clone() }
    }
}

/// The entries of a table in the order of the file.
pub(super) fn entries<'de>(table: &'de DeTable<'de>) -> Vec<(&'de str, Span, &'de Spanned<DeValue<'de>>)> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
    entries.sort_by_key(|(_, at, _)| at.start);
    entries
}

/// A whole number of any base.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    value.as_integer().and_then(|i| i64::from_str_radix(i.as_str(), i.radix()).ok())
}
