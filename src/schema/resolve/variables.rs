//! The variables of a schema: units, ranges, maps from text, conversions. Where they are found is `sources`.

use toml::Spanned;

use super::derived::{self, Pending};
use super::record::Layout;
use super::sources;
use super::units::same_unit;
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Field, Get, List, key};
use crate::schema::{Aggregation, Conversion, Kind, Source, Variable, suggest};

/// Names become column names and parts of them, so they are plain words.
pub(super) fn check_name(problems: &Problems<'_>, word: &str, at: &Span, before: &[Variable]) {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain || !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let message =
            format!("variable name `{word}` must begin with a letter and hold only letters, digits and `_`");
        problems.add(at.clone(), message);
    }
    if let Some(other) = before.iter().find(|v| v.name.eq_ignore_ascii_case(word)) {
        let message = format!(
            "variable `{word}` is declared already, as `{}`; names differ by more than case",
            other.name
        );
        problems.add(at.clone(), message);
    }
}

/// A variable being resolved.
pub(super) struct Reading<'a> {
    pub(super) problems: &'a Problems<'a>,
    pub(super) name: &'a str,
    pub(super) at: &'a Span,
    pub(super) raw: &'a raw::Variable,
}

impl Reading<'_> {
    /// Resolves all that is said of the variable; without a layout it is found nowhere.
    pub(super) fn variable(&self, layout: Option<&Layout>, pending: &mut Vec<Pending>) -> Variable {
        let raw = self.raw;
        let kind = raw.kind.copied().unwrap_or(Kind::Continuous);
        let range = self.range();
        let mut variable = Variable {
            name: self.name.to_owned(),
            label: raw.label.owned().unwrap_or_else(|| self.name.replace('_', " ")),
            group: raw.group.owned().unwrap_or_else(|| "other".to_owned()),
            unit: raw.unit.owned().unwrap_or_default(),
            kind,
            range,
            clip: self.clip(range),
            resolution: self.resolution(kind, range),
            missing_codes: raw.missing_codes.get().map(List::cloned).unwrap_or_default(),
            value_map: self.value_map(range),
            levels: self.levels(kind),
            censored: raw.censored.copied().unwrap_or(false),
            absent: self.absent(range),
            conversions: Vec::new(),
            sources: Vec::new(),
            derived: None,
            aggregate: self.aggregate(kind),
        };
        if kind == Kind::Categorical {
            self.check_categorical();
        }
        let conversions = self.conversions();
        if let Some(expression) = &raw.expression {
            variable.derived = derived::read(self.problems, raw, expression, self.name, pending);
        } else {
            for (name, at) in [("within", key(&raw.within)), ("at", key(&raw.at))] {
                if let Some(at) = at {
                    self.problems.add(at, format!("`{name}` has no meaning without `expression`"));
                }
            }
            if let Some(layout) = layout {
                variable.sources = sources::sources(self.problems, &raw.sources, self.at, layout, &variable);
                let measured = |source: &Source| matches!(source, Source::Events { .. });
                if let Some(at) = key(&raw.aggregate)
                    && !variable.sources.iter().all(measured)
                {
                    let message = format!(
                        "`aggregate` has no meaning: variable `{}` is one fact, not measurements",
                        self.name
                    );
                    self.problems.add(at, message);
                }
                self.check_units(&conversions, &variable.sources);
            }
        }
        variable.conversions = conversions.into_iter().map(Spanned::into_inner).collect();
        variable
    }

    fn check_categorical(&self) {
        let raw = self.raw;
        for (name, at) in [
            ("range", key(&raw.range)),
            ("resolution", key(&raw.resolution)),
            ("missing_codes", key(&raw.missing_codes)),
            ("value_map", key(&raw.value_map)),
            ("absent", key(&raw.absent)),
            ("conversions", key(&raw.conversions)),
            ("censored", key(&raw.censored)),
            ("clip", key(&raw.clip)),
            ("expression", key(&raw.expression)),
        ] {
            if let Some(at) = at {
                let message = format!("`{name}` has no meaning for kind `categorical`");
                self.problems.add_with_hint(at, message, "texts become levels by `levels`");
            }
        }
    }

    pub(super) fn range(&self) -> Option<(f64, f64)> {
        let what = "`range` must be two finite numbers, the lowest and the highest plausible value";
        let (at, low, high) = self.two(&self.raw.range, what)?;
        if low >= high {
            let message = format!("`range` must run from low to high, found {low} to {high}");
            self.problems.add_with_hint(at, message, format!("write `range = [{high}, {low}]`"));
            return None;
        }
        Some((low, high))
    }

    fn clip(&self, range: Option<(f64, f64)>) -> Option<(f64, f64)> {
        let what = "`clip` must be two finite numbers, the lowest and the highest value kept";
        let (at, low, high) = self.two(&self.raw.clip, what)?;
        if low >= high {
            self.problems.add(at, format!("`clip` must run from low to high, found {low} to {high}"));
        } else if range.is_some_and(|(least, most)| low < least || high > most) {
            let message = "`clip` has to lie within `range`, outside of which nothing is left to clip";
            self.problems.add(at, message);
        }
        Some((low, high))
    }

    fn two(&self, field: &Option<Field<List<f64>>>, what: &str) -> Option<(Span, f64, f64)> {
        let list = field.spanned()?;
        let &[low, high] = list.get_ref().cloned().as_slice() else {
            self.problems.add(list.span(), what);
            return None;
        };
        Some((list.span(), low, high))
    }

    /// Counts and levels are whole numbers; continuous values declare what they are rounded to.
    pub(super) fn resolution(&self, kind: Kind, range: Option<(f64, f64)>) -> Option<f64> {
        let whole = matches!(kind, Kind::Count | Kind::Ordinal | Kind::Binary);
        let Some(given) = self.raw.resolution.spanned() else { return whole.then_some(1.0) };
        let (span, value) = (given.span(), **given.get_ref());
        if value <= 0.0 {
            self.problems.add(span, format!("`resolution` must be above 0, found {value}"));
        } else if whole && value != 1.0 {
            let message = format!("`resolution` of kind `{}` is 1, found {value}", kind.name());
            self.problems.add(span, message);
        } else if range.is_some_and(|(low, high)| value > high - low) {
            self.problems.add(span, format!("`resolution` {value} is wider than the range"));
        }
        Some(value)
    }

    fn aggregate(&self, kind: Kind) -> Aggregation {
        let Some(given) = self.raw.aggregate.spanned() else {
            return match kind {
                Kind::Continuous => Aggregation::Mean,
                Kind::Binary => Aggregation::Max,
                Kind::Count | Kind::Ordinal | Kind::Categorical => Aggregation::Last,
            };
        };
        check_suits(self.problems, **given.get_ref(), given.span(), kind);
        *given.into_inner()
    }

    pub(super) fn absent(&self, range: Option<(f64, f64)>) -> Option<f64> {
        let given = self.raw.absent.spanned()?;
        let value = **given.get_ref();
        if range.is_some_and(|(low, high)| !(low..=high).contains(&value)) {
            self.problems.add(given.span(), format!("`absent` {value} lies outside the range"));
        }
        Some(value)
    }

    pub(super) fn value_map(&self, range: Option<(f64, f64)>) -> Vec<(String, f64)> {
        let mut map: Vec<(String, f64)> = Vec::new();
        for (text, value) in self.raw.value_map.get().iter().flat_map(|pairs| &pairs.0) {
            let (Some(text), Some(number)) = (text.spanned(), value.copied()) else { continue };
            if range.is_some_and(|(low, high)| !(low..=high).contains(&number)) {
                let message =
                    format!("`value_map` gives `{}` the value {number}, outside the range", text.get_ref());
                self.problems.add(value.span.clone(), message);
            }
            self.push_text("value_map", &mut map, &text, number);
        }
        map
    }

    pub(super) fn levels(&self, kind: Kind) -> Vec<(String, String)> {
        let mut map: Vec<(String, String)> = Vec::new();
        for (level, texts) in self.raw.levels.get().iter().flat_map(|pairs| &pairs.0) {
            let (Some(level), Some(list)) = (level.get(), texts.get()) else { continue };
            if list.0.is_empty() {
                self.problems.add(texts.span.clone(), format!("level `{level}` names no text"));
            }
            for text in list.items() {
                self.push_text("levels", &mut map, &text, level.clone());
            }
        }
        if kind != Kind::Categorical
            && let Some(at) = key(&self.raw.levels)
        {
            let message = format!("`levels` has no meaning for kind `{}`", kind.name());
            self.problems.add_with_hint(at, message, "texts become numbers by `value_map`");
        }
        map
    }

    /// Texts are matched trimmed and without regard to case, so two that differ in nothing else are one.
    fn push_text<T>(&self, key: &str, map: &mut Vec<(String, T)>, text: &Spanned<&String>, to: T) {
        let trimmed = text.get_ref().trim();
        if map.iter().any(|(other, _)| other.to_lowercase() == trimmed.to_lowercase()) {
            self.problems.add(text.span(), format!("`{key}` maps `{trimmed}` twice; case does not matter"));
        }
        map.push((trimmed.to_owned(), to));
    }

    /// The conversions with the places of their units.
    pub(super) fn conversions(&self) -> Vec<Spanned<Conversion>> {
        let mut conversions: Vec<Spanned<Conversion>> = Vec::new();
        for entry in self.raw.conversions.get().into_iter().flat_map(|list| list.items()) {
            let entry = entry.into_inner();
            let scale = sources::scale(self.problems, &entry.scale);
            let Some(unit) = entry.unit.text() else { continue };
            if conversions.iter().any(|c| same_unit(&c.get_ref().unit, unit.get_ref())) {
                let message =
                    format!("unit `{}` is converted twice; case and spaces do not matter", unit.get_ref());
                self.problems.add(unit.span(), message);
            }
            let offset = entry.offset.copied().unwrap_or(0.0);
            let conversion = Conversion { unit: (*unit.get_ref()).to_owned(), scale, offset };
            conversions.push(Spanned::new(unit.span(), conversion));
        }
        conversions
    }

    /// A unit that the scale of every source applies to is never converted. Where one source has it as its
    /// own and another has not, the conversion is for the other: a number in Fahrenheit under the Celsius
    /// item.
    pub(super) fn check_units(&self, conversions: &[Spanned<Conversion>], sources: &[Source]) {
        let lists = |source: &Source, unit: &str| match source {
            // Without units of its own, a source takes every unit for its own.
            Source::Events { units, .. } => units.is_empty() || units.iter().any(|u| same_unit(u, unit)),
            Source::Column { .. }
            | Source::Hours { .. }
            | Source::Next { .. }
            | Source::Listed { .. }
            | Source::Age { .. }
            | Source::Years { .. } => true,
        };
        let named = |source: &Source, unit: &str| {
            matches!(source, Source::Events { units, .. } if !units.is_empty()) && lists(source, unit)
        };
        for conversion in conversions {
            let unit = conversion.get_ref().unit.as_str();
            if sources.iter().any(|source| named(source, unit))
                && sources.iter().all(|source| lists(source, unit))
            {
                let message = format!("unit `{unit}` is converted, but a source lists it in `units` too");
                self.problems.add_with_hint(conversion.span(), message, "keep it in one of the two");
            }
        }
    }
}

/// Reports an aggregation without meaning for a kind, with those that have one.
pub(super) fn check_suits(problems: &Problems<'_>, aggregation: Aggregation, at: Span, kind: Kind) {
    if aggregation.kind_of(kind).is_some() {
        return;
    }
    let suited = Aggregation::ALL.into_iter().filter(|a| a.kind_of(kind).is_some());
    let suited: Vec<_> = suited.map(Aggregation::name).collect();
    let message = format!("`{}` has no meaning for kind `{}`", aggregation.name(), kind.name());
    problems.add_with_hint(at, message, format!("allowed are {}", suggest::quoted(&suited)));
}
