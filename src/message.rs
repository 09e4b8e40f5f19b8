//! What a user should know about a result: one type for everything that is said beside it, on the terminal,
//! in `audit.json`, in the report and to a program that uses the library.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a message matters: those that matter more are shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// A patient may be on two sides of a split, or an identifier is used as a measurement.
    Leak,
    /// Numbers may be wrong, or mean something else than they seem to.
    Wrong,
    /// Something is left out.
    LeftOut,
    /// Something was decided that a user might decide otherwise, or should be aware of.
    Choice,
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A column of a table, or a feature made of it.
    Column(String),
    /// Several columns, for one reason.
    Columns(Vec<String>),
    /// A variable of a schema.
    Variable(String),
    /// A table of a schema.
    Table(String),
    /// A file.
    File(String),
    /// A channel of signals.
    Channel(String),
    /// Some of the records, or all of them.
    Records,
}

/// Something the user should know about a result: what it is about, how often it occurred, and what to do, in
/// one sentence without a patient's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// How much it matters.
    pub weight: Weight,
    /// What it is about.
    pub about: About,
    /// How many cells, rows, windows or records it concerns; `None` where nothing can be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The whole sentence, which names what it is about and gives the count.
    pub text: String,
}

impl Message {
    /// A message without a count.
    pub fn new(weight: Weight, about: About, text: impl Into<String>) -> Self {
        Self { weight, about, count: None, text: text.into() }
    }

    /// A message about a column.
    pub fn column(weight: Weight, name: &str, text: impl Into<String>) -> Self {
        Self::new(weight, About::Column(name.to_owned()), text)
    }

    /// A message about a variable of a schema.
    pub fn variable(weight: Weight, name: &str, text: impl Into<String>) -> Self {
        Self::new(weight, About::Variable(name.to_owned()), text)
    }

    /// A message about a table of a schema.
    pub fn table(weight: Weight, name: &str, text: impl Into<String>) -> Self {
        Self::new(weight, About::Table(name.to_owned()), text)
    }

    /// A message about a file.
    pub fn file(weight: Weight, name: &str, text: impl Into<String>) -> Self {
        Self::new(weight, About::File(name.to_owned()), text)
    }

    /// A message about records.
    pub fn records(weight: Weight, text: impl Into<String>) -> Self {
        Self::new(weight, About::Records, text)
    }

    /// Says how many cells, rows, windows or records it concerns.
    #[must_use]
    pub fn counting(mut self, n: impl TryInto<u64>) -> Self {
        self.count = n.try_into().ok();
        self
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `one` or `more`, as the number asks for: `1 row`, `2 rows`.
pub fn plural<'w>(n: impl TryInto<u64>, one: &'w str, more: &'w str) -> &'w str {
    if matches!(n.try_into(), Ok(1)) { one } else { more }
}

/// A number with its noun: `1 row`, `2 rows`.
pub fn counted(n: impl TryInto<u64> + Copy + fmt::Display, one: &str, more: &str) -> String {
    format!("{n} {}", plural(n, one, more))
}

/// Messages as files hold them: the sentences under `warnings`, for people and for scripts that look for
/// words, and the same with weight, subject and count under `messages`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Messages(pub Vec<Message>);

#[derive(Serialize, Deserialize)]
struct Written {
    warnings: Vec<String>,
    /// Files of earlier versions have the sentences alone.
    #[serde(default)]
    messages: Option<Vec<Message>>,
}

impl Serialize for Messages {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let warnings = self.texts().into_iter().map(str::to_owned).collect();
        Written { warnings, messages: Some(self.0.clone()) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { warnings, messages } = Written::deserialize(deserializer)?;
        let told = || warnings.into_iter().map(|text| Message::records(Weight::Choice, text)).collect();
        Ok(Self(messages.unwrap_or_else(told)))
    }
}

impl std::ops::Deref for Messages {
    type Target = Vec<Message>;

    fn deref(&self) -> &Vec<Message> {
        &self.0
    }
}

impl std::ops::DerefMut for Messages {
    fn deref_mut(&mut self) -> &mut Vec<Message> {
        &mut self.0
    }
}

impl From<Vec<Message>> for Messages {
    fn from(messages: Vec<Message>) -> Self {
        Self(messages)
    }
}

impl Messages {
    /// The sentences.
    pub fn texts(&self) -> Vec<&str> {
        self.0.iter().map(|message| message.text.as_str()).collect()
    }

    /// Whether a sentence holds `words`.
    pub fn say(&self, words: &str) -> bool {
        self.0.iter().any(|message| message.text.contains(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_sentences_and_what_they_are_made_of() {
        let left_out = About::Columns(vec!["a".into(), "b".into()]);
        let messages = Messages(vec![
            Message::column(Weight::Wrong, "x", "column `x`: 3 cells hold no number").counting(3_u64),
            Message::new(Weight::LeftOut, left_out, "columns `a`, `b` are left out"),
        ]);
        let json = serde_json::to_value(&messages).unwrap();
        assert_eq!(json["warnings"][0], "column `x`: 3 cells hold no number");
        assert_eq!(json["messages"][0]["about"]["column"], "x");
        assert_eq!(json["messages"][0]["count"], 3);
        assert_eq!(json["messages"][1]["weight"], "left-out");
        assert_eq!(serde_json::from_value::<Messages>(json).unwrap(), messages);
        let earlier: Messages = serde_json::from_str(r#"{"warnings": ["x"]}"#).unwrap();
        assert_eq!(earlier.texts(), ["x"]);
        assert!(messages.say("left out") && !messages.say("column `y`"));
    }
}
