//! Located reading of TOML. A read that fails leaves a [`Problem`] behind and goes on, so that one run shows all that
//! is wrong with a file; serde would stop at the first. Nothing here knows what a schema is.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Problem;
use super::suggest;

/// Bytes of the source text.
pub(super) type Span = Range<usize>;

/// Collects what is wrong with one text.
pub(super) struct Problems<'a> {
    text: &'a str,
    found: RefCell<Vec<Problem>>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, found: RefCell::default() }
    }

    pub(super) fn add(&self, span: Span, message: impl Into<String>) {
        self.push(span, message.into(), None);
    }

    pub(super) fn add_with_hint(&self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.push(span, message.into(), Some(hint.into()));
    }

    pub(super) fn push(&self, span: Span, message: String, hint: Option<String>) {
        let line = 1 + self.text[..span.start.min(self.text.len())].matches('\n').count();
        self.found.borrow_mut().push(Problem { span, line, message, hint });
    }

    /// In the order of the file.
    pub(super) fn into_sorted(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|p| p.span.start);
        found
    }
}

/// A value with the name of its key, for messages.
pub(super) type Value<'a> = &'a Spanned<DeValue<'a>>;

/// A TOML table being read. Every key asked for becomes a known key; [`Section::finish`] reports the others.
pub(super) struct Section<'a> {
    pub(super) problems: &'a Problems<'a>,
    /// What it describes, as in "variable `heart_rate`".
    pub(super) title: String,
    /// Where it is, for what is missing in it.
    pub(super) span: Span,
    table: &'a DeTable<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(problems: &'a Problems<'a>, title: String, span: Span, table: &'a DeTable<'a>) -> Self {
        Self { problems, title, span, table, known: RefCell::default() }
    }

    /// The value of a key, which is known from now on.
    pub(super) fn value(&self, key: &'static str) -> Option<Value<'a>> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Whether the key is there, without making it known.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Bytes of a key, for messages about its presence.
    pub(super) fn key_span(&self, key: &str) -> Span {
        self.table.get_key_value(key).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    /// All entries in the order of the file, for tables whose keys are names of the author's own.
    pub(super) fn entries(&self) -> Vec<(Spanned<&'a str>, Value<'a>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| (Spanned::new(key.span(), key.get_ref().as_ref()), value))
            .collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
    }

    pub(super) fn text(&self, key: &'static str) -> Option<Spanned<&'a str>> {
        let value = self.value(key)?;
        let text = self.as_text(key, value)?;
        if text.get_ref().trim().is_empty() {
            self.problems.add(value.span(), format!("`{key}` is empty"));
            return None;
        }
        Some(text)
    }

    pub(super) fn required_text(&self, key: &'static str) -> Option<Spanned<&'a str>> {
        self.require(key).then(|| self.text(key)).flatten()
    }

    pub(super) fn number(&self, key: &'static str) -> Option<Spanned<f64>> {
        let value = self.value(key)?;
        Some(Spanned::new(value.span(), self.as_number(key, value)?))
    }

    pub(super) fn boolean(&self, key: &'static str) -> Option<Spanned<bool>> {
        let value = self.value(key)?;
        match value.get_ref().as_bool() {
            Some(flag) => Some(Spanned::new(value.span(), flag)),
            None => self.wrong(key, value, "true or false"),
        }
    }

    /// A whole number that is not negative.
    pub(super) fn count(&self, key: &'static str) -> Option<Spanned<u64>> {
        let value = self.value(key)?;
        match integer(value).and_then(|i| u64::try_from(i).ok()) {
            Some(count) => Some(Spanned::new(value.span(), count)),
            None => self.wrong(key, value, "a whole number, 0 or more"),
        }
    }

    /// One of a fixed set of names.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &'static str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<Spanned<T>> {
        let text = self.text(key)?;
        self.one_of(key, &text, all, name).map(|choice| Spanned::new(text.span(), choice))
    }

    /// Looks a text up in a fixed set of names.
    pub(super) fn one_of<T: Copy>(
        &self,
        what: &str,
        text: &Spanned<&str>,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let found = all.iter().copied().find(|&choice| name(choice) == *text.get_ref());
        if found.is_none() {
            let names: Vec<&str> = all.iter().map(|&choice| name(choice)).collect();
            let similar = suggest::closest(text.get_ref(), names.iter().copied());
            self.problems.push(
                text.span(),
                format!("unknown {what} `{}`; allowed are {}", text.get_ref(), suggest::quoted(&names)),
                similar.map(|s| format!("did you mean `{s}`?")),
            );
        }
        found
    }

    /// A list; a single value counts as a list of one.
    pub(super) fn list(&self, key: &'static str) -> Option<Spanned<Vec<Value<'a>>>> {
        let value = self.value(key)?;
        Some(Spanned::new(value.span(), Self::one_or_many(value)))
    }

    /// The items of a list; a single value is a list of one.
    pub(super) fn one_or_many(value: Value<'a>) -> Vec<Value<'a>> {
        match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Option<Spanned<Vec<Spanned<&'a str>>>> {
        let list = self.list(key)?;
        let texts = list.get_ref().iter().filter_map(|value| self.as_text(key, value)).collect();
        Some(Spanned::new(list.span(), texts))
    }

    /// A list of numbers.
    pub(super) fn numbers(&self, key: &'static str) -> Option<Spanned<Vec<f64>>> {
        let list = self.list(key)?;
        let numbers = list.get_ref().iter().filter_map(|value| self.as_number(key, value)).collect();
        Some(Spanned::new(list.span(), numbers))
    }

    /// A table inside this one.
    pub(super) fn section(&self, key: &'static str, title: &str) -> Option<Section<'a>> {
        let value = self.value(key)?;
        self.as_section(key, title.to_owned(), self.key_span(key), value)
    }

    /// A list of tables: `key = [{…}, …]` or repeated `[[key]]`.
    pub(super) fn sections(&self, key: &'static str, title: &str) -> Vec<Section<'a>> {
        let list = self.list(key).map(Spanned::into_inner).unwrap_or_default();
        list.into_iter()
            .filter_map(|value| self.as_section(key, title.to_owned(), value.span(), value))
            .collect()
    }

    pub(super) fn as_section(
        &self,
        key: &str,
        title: String,
        span: Span,
        value: Value<'a>,
    ) -> Option<Section<'a>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(self.problems, title, span, table)),
            _ => self.wrong(key, value, "a table"),
        }
    }

    pub(super) fn as_text(&self, key: &str, value: Value<'a>) -> Option<Spanned<&'a str>> {
        match value.get_ref().as_str() {
            Some(text) => Some(Spanned::new(value.span(), text)),
            None => self.wrong(key, value, "a text"),
        }
    }

    /// A finite number; whole numbers count.
    pub(super) fn as_number(&self, key: &str, value: Value<'a>) -> Option<f64> {
        match number(value) {
            Some(number) if number.is_finite() => Some(number),
            Some(_) => {
                self.problems.add(value.span(), format!("`{key}` must be a finite number"));
                None
            }
            None => self.wrong(key, value, "a number"),
        }
    }

    /// Reports a missing key; the caller goes on when it is there.
    pub(super) fn require(&self, key: &'static str) -> bool {
        let there = self.has(key);
        if !there {
            self.known.borrow_mut().push(key);
            self.problems.add(self.span.clone(), format!("{} needs `{key}`", self.title));
        }
        there
    }

    pub(super) fn wrong<T>(&self, key: &str, value: Value<'a>, wanted: &str) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        // "must be a whole number, 0 or more, found a whole number" helps nobody: the value is the point then.
        let found = if wanted.starts_with(found) { "another" } else { found };
        self.problems.add(value.span(), format!("`{key}` must be {wanted}, found {found}"));
        None
    }

    /// Reports the keys nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.into_inner();
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let hint = suggest::hint(name, known.iter().copied());
                self.problems.push(key.span(), format!("unknown key `{name}` in {}", self.title), hint);
            }
        }
    }
}

/// A whole number of any base.
pub(super) fn integer(value: Value<'_>) -> Option<i64> {
    value.get_ref().as_integer().and_then(|i| i64::from_str_radix(i.as_str(), i.radix()).ok())
}

/// A number, whole or not, perhaps not finite.
pub(super) fn number(value: Value<'_>) -> Option<f64> {
    match value.get_ref() {
        DeValue::Integer(_) => integer(value).map(|i| i as f64),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}
