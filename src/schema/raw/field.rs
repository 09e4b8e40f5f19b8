//! Parts of the format that know where they stand: a value with its place, lists, and tables with names of
//! the author's own. A part that cannot be read is empty; the reader has told the problem by then.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use crate::schema::problems::Span;

// By these names the types ask the reader for more than the data model of serde holds.

/// A value with its place.
pub(super) const FIELD: &str = "a field";
/// A text that is not blank.
pub(super) const TEXT: &str = "a text that is not blank";
/// A text or a table.
pub(super) const TEXT_OR: &str = "a text or a table";
/// A table or a list of pairs.
pub(super) const PAIRS: &str = "pairs";

/// A value with the places of its key and of itself.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::schema) struct Field<T> {
    /// The bytes of the key. An item of a list has none and stands for itself; what is missing is blamed on
    /// its section.
    pub(in crate::schema) key: Span,
    /// The bytes of the value.
    pub(in crate::schema) span: Span,
    value: Option<T>,
}

/// Access to fields, whether or not they have to be there.
pub(in crate::schema) trait Get<T> {
    /// The value, if there is one and it can be read.
    fn get(&self) -> Option<&T>;

    /// The value with its place.
    fn spanned(&self) -> Option<Spanned<&T>>;

    /// A copy of the value.
    fn copied(&self) -> Option<T>
    where
        T: Copy,
    {
        self.get().copied()
    }

    /// A text with its place.
    fn text(&self) -> Option<Spanned<&str>>
    where
        T: AsRef<str> + 'static,
    {
        self.spanned().map(|text| Spanned::new(text.span(), text.into_inner().as_ref()))
    }

    /// A text of its own.
    fn owned(&self) -> Option<String>
    where
        T: AsRef<str>,
    {
        self.get().map(|text| text.as_ref().to_owned())
    }
}

impl<T> Get<T> for Field<T> {
    fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    fn spanned(&self) -> Option<Spanned<&T>> {
        Some(Spanned::new(self.span.clone(), self.get()?))
    }
}

impl<T> Get<T> for Option<Field<T>> {
    fn get(&self) -> Option<&T> {
        self.as_ref()?.get()
    }

    fn spanned(&self) -> Option<Spanned<&T>> {
        self.as_ref()?.spanned()
    }
}

/// The place of a key, where it is given.
pub(in crate::schema) fn key<T>(field: &Option<Field<T>>) -> Option<Span> {
    field.as_ref().map(|field| field.key.clone())
}

/// A text that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::schema) struct Text(String);

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A list of at least so many items; a single value is a list of one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::schema) struct List<T, const LEAST: usize = 0>(pub(in crate::schema) Vec<Field<T>>);

impl<T, const LEAST: usize> List<T, LEAST> {
    /// The items that could be read, with their places.
    pub(in crate::schema) fn items(&self) -> impl Iterator<Item = Spanned<&T>> {
        self.0.iter().filter_map(Get::spanned)
    }

    /// Copies of the items that could be read.
    pub(in crate::schema) fn cloned(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.0.iter().filter_map(Get::get).cloned().collect()
    }
}

/// A table whose keys are names of the author's own, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::schema) struct Entries<T>(pub(in crate::schema) Vec<(String, Field<T>)>);

impl<T> Entries<T> {
    /// The names and the values that could be read.
    pub(in crate::schema) fn read(&self) -> impl Iterator<Item = (&str, &Field<T>, &T)> {
        self.0.iter().filter_map(|(name, field)| Some((name.as_str(), field, field.get()?)))
    }
}

/// A table from text to value, `{ text = value }`, or a list of pairs `[[text, value], …]` where order or
/// spelling matters.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::schema) struct Pairs<T>(pub(in crate::schema) Vec<(Field<String>, Field<T>)>);

/// A text, or a table that says more.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::schema) enum TextOr<T> {
    /// The text.
    Text(String),
    /// The table.
    Table(T),
}

/// The visitor of each of these types.
struct Visit<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Visit<Field<T>> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<T>, A::Error> {
        let mut at = || Ok(seq.next_element::<usize>()?.unwrap_or_default());
        let (key, span) = (at()?..at()?, at()?..at()?);
        // The reader has told what is wrong with the value; the others are read all the same.
        Ok(Field { key, span, value: seq.next_element().ok().flatten() })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(FIELD, Visit(PhantomData::<Self>))
    }
}

impl Visitor<'_> for Visit<Text> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TEXT, Visit(PhantomData::<Self>))
    }
}

impl<'de, T: Deserialize<'de>, const LEAST: usize> Visitor<'de> for Visit<List<T, LEAST>> {
    type Value = List<T, LEAST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T, LEAST>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(List(items))
    }
}

impl<'de, T: Deserialize<'de>, const LEAST: usize> Deserialize<'de> for List<T, LEAST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Visit(PhantomData::<Self>))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Visit<Entries<T>> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Visit(PhantomData::<Self>))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Visit<Pairs<T>> {
    type Value = Pairs<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table or a list of pairs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Pairs<T>, A::Error> {
        let mut pairs = Vec::new();
        while let (Some(text), Some(value)) = (seq.next_element()?, seq.next_element()?) {
            pairs.push((text, value));
        }
        Ok(Pairs(pairs))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(PAIRS, Visit(PhantomData::<Self>))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Visit<TextOr<T>> {
    type Value = TextOr<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a table")
    }

    fn visit_str<E>(self, text: &str) -> Result<TextOr<T>, E> {
        Ok(TextOr::Text(text.to_owned()))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<TextOr<T>, D::Error> {
        T::deserialize(deserializer).map(TextOr::Table)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TEXT_OR, Visit(PhantomData::<Self>))
    }
}

/// The JSON Schema of a type, written where the type is used.
macro_rules! inline_json_schema {
    ($name:literal, [$($generics:tt)*] $type:ty, $generator:ident => $schema:expr) => {
        impl<$($generics)*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

inline_json_schema!("Field", [T: JsonSchema] Field<T>, generator => generator.subschema_for::<T>());
inline_json_schema!("Text", [] Text, _generator => json_schema!({ "type": "string", "pattern": "\\S" }));
inline_json_schema!("List", [T: JsonSchema, const LEAST: usize] List<T, LEAST>, generator => {
    let item = generator.subschema_for::<T>();
    json_schema!({ "anyOf": [item, { "type": "array", "items": item, "minItems": LEAST }] })
});
inline_json_schema!("Entries", [T: JsonSchema] Entries<T>, generator => {
    let value = generator.subschema_for::<T>();
    json_schema!({ "type": "object", "additionalProperties": value })
});
inline_json_schema!("Pairs", [T: JsonSchema] Pairs<T>, generator => {
    let value = generator.subschema_for::<T>();
    let pair = json_schema!({
        "type": "array", "prefixItems": [{ "type": "string" }, value], "minItems": 2, "maxItems": 2
    });
    json_schema!({ "anyOf": [
        { "type": "object", "additionalProperties": value },
        { "type": "array", "items": pair },
    ] })
});
inline_json_schema!("TextOr", [T: JsonSchema] TextOr<T>, generator => {
    let table = generator.subschema_for::<T>();
    json_schema!({ "anyOf": [{ "type": "string" }, table] })
});
