//! Reads a TOML document into the types of the format.
//!
//! A reader of serde stops at the first fault. This one leaves a problem behind and goes on, so that one run
//! shows all that is wrong with a file: a [`super::field::Field`] that cannot be read is empty, a key that no
//! type names is passed over. It learns from the types which keys there are and which of them have to be
//! there.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::field::{FIELD, PAIRS, TEXT, TEXT_OR};
use super::node::{Fault, Node, Value, entries, integer, wanted};
use super::words::{self, Forms};
use crate::schema::problems::{Problems, Span};
use crate::schema::suggest;

/// Reads the whole of a document, which messages call `title`. What is missing in it is shown at `at`.
pub(in crate::schema) fn read<'de, T: Deserialize<'de>>(
    problems: &Problems<'_>,
    title: &str,
    at: Span,
    document: &'de DeTable<'de>,
) -> Option<T> {
    let reader =
        Node { problems, parent: "", section: "", key: title, at, value: Value::Root(document), form: None };
    let outcome = T::deserialize(reader.clone());
    outcome.inspect_err(|fault| reader.report(fault)).ok()
}

impl<'de> Deserializer<'de> for Node<'_, 'de> {
    type Error = Fault;

    /// Values of which the type has to see what they are. Lists, tables and dates are none of these.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value()? {
            DeValue::String(text) => visitor.visit_str(text),
            DeValue::Float(float) => {
                float.as_str().parse().map_or_else(|_| wanted("a number"), |x| visitor.visit_f64(x))
            }
            value @ DeValue::Integer(_) => match integer(value) {
                Some(i) => visitor.visit_i64(i),
                None => visitor.visit_unit(),
            },
            DeValue::Boolean(flag) => visitor.visit_bool(*flag),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => visitor.visit_unit(),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    /// A finite number. A whole one counts.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let number = match self.value()? {
            value @ DeValue::Integer(_) => integer(value).map(|i| i as f64),
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if f64::is_finite(number) => visitor.visit_f64(number),
            Some(_) => Err(Fault::Message(format!("`{}` must be a finite number", self.key), None)),
            None => wanted("a number"),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match integer(self.value()?).and_then(|i| u64::try_from(i).ok()) {
            Some(count) => visitor.visit_u64(count),
            None => wanted("a whole number, 0 or more"),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.value()?.as_bool().map_or_else(|| wanted("true or false"), |flag| visitor.visit_bool(flag))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if matches!(self.value, Value::Missing) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match name {
            FIELD => visitor.visit_seq(FieldAccess { reader: self, step: 0 }),
            PAIRS => visitor.visit_seq(Items { readers: self.pairs()?.into_iter() }),
            TEXT => match self.text()? {
                text if text.trim().is_empty() => {
                    Err(Fault::Message(format!("`{}` is empty", self.key), None))
                }
                text => visitor.visit_str(text),
            },
            TEXT_OR => match self.value()? {
                DeValue::String(text) => visitor.visit_str(text),
                DeValue::Table(_) => visitor.visit_newtype_struct(self),
                _ => wanted(words::TEXT_OR_TABLE),
            },
            _ => visitor.visit_newtype_struct(self),
        }
    }

    /// A single value counts as a list of one.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let readers: Vec<Self> = match (self.value()?, &self.value) {
            (DeValue::Array(items), _) => items.iter().map(|item| self.item(item)).collect(),
            (_, Value::Of(value)) => vec![self.item(value)],
            _ => Vec::new(),
        };
        visitor.visit_seq(Items { readers: readers.into_iter() })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let entries = entries(self.table()?).into_iter();
        visitor.visit_map(EntryAccess { reader: self, entries, next: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let table = self.table()?;
        let title = self.title();
        self.check_keys(&title, table, fields);
        visitor.visit_map(FieldsAccess {
            reader: self,
            title: &title,
            table,
            fields: fields.iter(),
            next: "",
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if let Some(forms) = words::forms(name) {
            return self.one_form(&forms, variants, visitor);
        }
        let text = self.text()?;
        if variants.contains(&text) {
            return visitor.visit_enum(BorrowedStrDeserializer::new(text));
        }
        if text.trim().is_empty() {
            return Err(Fault::Message(format!("`{}` is empty", self.key), None));
        }
        let what = words::choice(name).unwrap_or(self.key);
        let similar = suggest::closest(text, variants.iter().copied());
        Err(Fault::Message(
            format!("unknown {what} `{text}`; allowed are {}", suggest::quoted(variants)),
            similar.map(|s| format!("did you mean `{s}`?")),
        ))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

impl<'de> Node<'_, 'de> {
    /// The form of a table is told by the one key that only this form has.
    fn one_form<V: Visitor<'de>>(
        &self,
        forms: &Forms,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let table = self.table()?;
        let keys = |variant: &str| variant.split(" or ").any(|key| table.contains_key(key));
        let given: Vec<&'static str> = variants.iter().copied().filter(|variant| keys(variant)).collect();
        let &[form] = given.as_slice() else {
            let title = self.title();
            self.problems.push(self.at.clone(), forms.one_of(&title), Some(forms.hint.to_owned()));
            // What any form would read is not unknown; there is just no telling which is meant.
            let all: Vec<&str> = forms.keys.iter().map(String::as_str).collect();
            self.check_keys(&title, table, &all);
            return Err(Fault::Told);
        };
        visitor.visit_enum(FormAccess { reader: Node { form: Some((forms, form)), ..self.clone() }, form })
    }
}

/// The places of a field, then its value.
struct FieldAccess<'p, 'de> {
    reader: Node<'p, 'de>,
    step: usize,
}

impl<'de> SeqAccess<'de> for FieldAccess<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let (key, span) = (&self.reader.at, self.reader.span());
        let places = [key.start, key.end, span.start, span.end];
        self.step += 1;
        match places.get(self.step - 1) {
            Some(place) => seed.deserialize(place.into_deserializer()).map(Some),
            None => {
                let outcome = seed.deserialize(self.reader.clone());
                outcome.map(Some).inspect_err(|fault| self.reader.report(fault))
            }
        }
    }
}

/// Values one after the other.
struct Items<'p, 'de> {
    readers: std::vec::IntoIter<Node<'p, 'de>>,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.readers.next().map(|reader| seed.deserialize(reader)).transpose()
    }
}

/// The entries of a table whose keys are names of the author's own.
struct EntryAccess<'p, 'de> {
    reader: Node<'p, 'de>,
    entries: std::vec::IntoIter<(&'de str, Span, &'de Spanned<DeValue<'de>>)>,
    next: Option<(&'de str, Span, &'de Spanned<DeValue<'de>>)>,
}

impl<'de> MapAccess<'de> for EntryAccess<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.next = self.entries.next();
        let Some((name, at, _)) = &self.next else { return Ok(None) };
        seed.deserialize(self.reader.name(name, at.clone())).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let (name, at, value) = self.next.take().ok_or(Fault::Told)?;
        seed.deserialize(Node { key: name, at, value: Value::Of(value), ..self.reader.clone() })
    }
}

/// The keys of a type in its order, each with its value or with nothing.
struct FieldsAccess<'p, 'de> {
    reader: Node<'p, 'de>,
    title: &'p str,
    table: &'de DeTable<'de>,
    fields: std::slice::Iter<'static, &'static str>,
    next: &'static str,
}

impl<'de> MapAccess<'de> for FieldsAccess<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some(field) = self.fields.next() else { return Ok(None) };
        self.next = field;
        seed.deserialize(BorrowedStrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let (at, value) = match self.table.get_key_value(self.next) {
            Some((key, value)) => (key.span(), Value::Of(value)),
            None => (self.reader.at.clone(), Value::Missing),
        };
        let (problems, key) = (self.reader.problems, self.next);
        seed.deserialize(Node { problems, parent: self.title, section: key, key, at, value, form: None })
    }
}

/// A table in one of its forms.
struct FormAccess<'p, 'de> {
    reader: Node<'p, 'de>,
    form: &'static str,
}

impl<'de> EnumAccess<'de> for FormAccess<'_, 'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        Ok((seed.deserialize(BorrowedStrDeserializer::new(self.form))?, self))
    }
}

impl<'de> VariantAccess<'de> for FormAccess<'_, 'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.reader.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.reader.deserialize_struct("", fields, visitor)
    }
}
