//! `--set key=value`. A family has one table of keys, each with its range and a description; the table serves
//! the parser, the checks, and the list that is shown after a mistake.

use std::fmt;

use crate::error::Hint;
use crate::schema::suggest;

/// The range of allowed values of a numeric setting.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    min: f64,
    max: f64,
    /// Whether `min` itself is excluded.
    above: bool,
    whole: bool,
}

impl Range {
    /// Numbers from `min` to `max`.
    pub const fn real(min: f64, max: f64) -> Self {
        Self { min, max, above: false, whole: false }
    }

    /// Numbers above `min`, and at most `max`.
    pub const fn above(min: f64, max: f64) -> Self {
        Self { min, max, above: true, whole: false }
    }

    /// Whole numbers from `min` to `max`.
    pub const fn whole(min: u32, max: u32) -> Self {
        Self { min: min as f64, max: max as f64, above: false, whole: true }
    }

    /// Whether a number is allowed.
    pub fn contains(&self, x: f64) -> bool {
        let low = if self.above { x > self.min } else { x >= self.min };
        low && x <= self.max && !(self.whole && x.fract() != 0.0)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.whole { "a whole number" } else { "a number" };
        if self.above {
            write!(f, "{kind} above {} and at most {}", self.min, self.max)
        } else {
            write!(f, "{kind} from {} to {}", self.min, self.max)
        }
    }
}

type Get<C> = Box<dyn Fn(&C) -> f64>;
type Set<C, T> = Box<dyn Fn(&mut C, T)>;

/// A setting of the configuration `C`.
pub struct Key<C> {
    name: &'static str,
    help: &'static str,
    value: Value<C>,
    only: Option<Only<C>>,
}

/// Which configurations a setting has an effect for.
struct Only<C> {
    has_effect: Box<dyn Fn(&C) -> bool>,
    /// What they are, to complete "applies to …".
    what: &'static str,
}

enum Value<C> {
    /// A number. `get` gives NaN where the configuration has no such number.
    Number { range: Range, get: Get<C>, set: Set<C, f64> },
    /// One of some names.
    Choice { allowed: &'static [&'static str], set: Set<C, String> },
    /// Any whole number of 64 bits.
    Seed { set: Set<C, u64> },
}

impl<C: 'static> Key<C> {
    /// A number that every configuration has.
    pub fn number(
        name: &'static str,
        help: &'static str,
        range: Range,
        get: impl Fn(&C) -> f64 + 'static,
        set: impl Fn(&mut C, f64) + 'static,
    ) -> Self {
        let value = Value::Number { range, get: Box::new(get), set: Box::new(set) };
        Self { name, help, value, only: None }
    }

    /// The same key, refused for configurations that it has no effect for.
    #[must_use]
    pub fn only_where(self, has_effect: impl Fn(&C) -> bool + 'static, what: &'static str) -> Self {
        Self { only: Some(Only { has_effect: Box::new(has_effect), what }), ..self }
    }

    /// A setting whose values have names.
    pub fn choice(
        name: &'static str,
        help: &'static str,
        allowed: &'static [&'static str],
        set: impl Fn(&mut C, &str) + 'static,
    ) -> Self {
        let value = Value::Choice { allowed, set: Box::new(move |c, v| set(c, &v)) };
        Self { name, help, value, only: None }
    }

    /// A seed.
    pub fn seed(name: &'static str, help: &'static str, set: impl Fn(&mut C, u64) + 'static) -> Self {
        Self { name, help, value: Value::Seed { set: Box::new(set) }, only: None }
    }

    /// The same key for a configuration that `C` is a part of.
    pub fn within<D: 'static>(self, part: fn(&D) -> &C, part_mut: fn(&mut D) -> &mut C) -> Key<D> {
        let value = match self.value {
            Value::Number { range, get, set } => Value::Number {
                range,
                get: Box::new(move |d| get(part(d))),
                set: Box::new(move |d, x| set(part_mut(d), x)),
            },
            Value::Choice { allowed, set } => {
                Value::Choice { allowed, set: Box::new(move |d, v| set(part_mut(d), v)) }
            }
            Value::Seed { set } => Value::Seed { set: Box::new(move |d, x| set(part_mut(d), x)) },
        };
        let only = self.only.map(|Only { has_effect, what }| Only {
            has_effect: Box::new(move |d: &D| has_effect(part(d))),
            what,
        });
        Key { name: self.name, help: self.help, value, only }
    }

    /// Says why the number of this key in `config` is not allowed; nothing where it is, or where there is
    /// none.
    pub(super) fn problem(&self, config: &C) -> Option<String> {
        let Value::Number { range, get, .. } = &self.value else { return None };
        let value = get(config);
        let right = range.contains(value) || (value.is_nan() && self.without_effect(config).is_some());
        (!right).then(|| format!("`{}` must be {range}, got {value}", self.name))
    }

    /// Whether a number that is set is the number that is read.
    #[cfg(test)]
    pub(super) fn keeps_numbers(&self, config: &mut C, x: f64) -> bool {
        let Value::Number { get, set, .. } = &self.value else { return true };
        set(config, x);
        get(config) == x
    }

    /// Says what the setting applies to, where it has no effect for `config`.
    fn without_effect(&self, config: &C) -> Option<String> {
        let only = self.only.as_ref().filter(|only| !(only.has_effect)(config))?;
        Some(format!("`{}` applies to {}", self.name, only.what))
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    fn allowed(&self) -> String {
        match &self.value {
            Value::Number { range, .. } => range.to_string(),
            Value::Choice { allowed, .. } => allowed.join(" or "),
            Value::Seed { .. } => "a whole number".into(),
        }
    }

    fn apply(&self, config: &mut C, value: &str) -> Result<(), String> {
        let wrong = || format!("`{}` must be {}, got `{value}`", self.name, self.allowed());
        match &self.value {
            Value::Number { range, set, .. } => {
                set(config, value.parse().ok().filter(|x| range.contains(*x)).ok_or_else(wrong)?);
            }
            Value::Choice { allowed, set } => {
                set(config, allowed.contains(&value).then(|| value.to_owned()).ok_or_else(wrong)?);
            }
            Value::Seed { set } => set(config, value.parse().map_err(|_| wrong())?),
        }
        Ok(())
    }
}

/// A number field of a configuration as a [`Key`] of the same name.
macro_rules! key {
    ($config:ty, $name:ident: f64, $range:expr, $help:expr) => {
        Key::<$config>::number(stringify!($name), $help, $range, |c| c.$name, |c, x| c.$name = x)
    };
    ($config:ty, $name:ident: $type:ty, $range:expr, $help:expr) => {
        Key::<$config>::number(
            stringify!($name),
            $help,
            $range,
            |c| c.$name as f64,
            |c, x| c.$name = x as $type,
        )
    };
}
pub(crate) use key;

/// Settings that cannot be used; all of them are listed.
#[derive(Debug, thiserror::Error)]
#[error("unusable settings:\n  {}", problems.join("\n  "))]
pub struct SettingsError {
    /// One sentence for each setting.
    pub problems: Vec<String>,
    /// Every known setting with its allowed values and its meaning.
    pub allowed: Vec<String>,
}

impl Hint for SettingsError {
    fn hint(&self) -> Option<String> {
        if self.allowed.is_empty() {
            return Some("leave out --set; this family has no settings".into());
        }
        Some(format!("settings are\n  {}", self.allowed.join("\n  ")))
    }
}

/// Applies all `key=value` settings to `config`, or changes nothing.
///
/// # Errors
/// [`SettingsError`] with every unknown key and every unusable value at once, and with the list of all keys.
pub fn apply_settings<C: Clone + 'static>(
    config: &mut C,
    keys: &[Key<C>],
    settings: &[(String, String)],
) -> Result<(), SettingsError> {
    let mut new = config.clone();
    let mut problems = Vec::new();
    // The named values come first, because `n_bins` can be set only for some values of `coupling`, in
    // whatever order the two are given.
    for named in [true, false] {
        for (name, value) in settings {
            let key = keys.iter().find(|k| k.name == name);
            if named == key.is_some_and(|k| !matches!(k.value, Value::Number { .. })) {
                let applied = match key {
                    Some(key) => key.apply(&mut new, value),
                    None => Err(unknown(name, keys)),
                };
                problems.extend(applied.err());
            }
        }
    }
    // Whether a setting has an effect shows only after all of them are set.
    let given = settings.iter().filter_map(|(name, _)| keys.iter().find(|k| k.name == name));
    problems.extend(given.filter_map(|key| key.without_effect(&new)));
    if !problems.is_empty() {
        let list = |k: &Key<C>| format!("{}: {} ({})", k.name, k.allowed(), k.help);
        return Err(SettingsError { problems, allowed: keys.iter().map(list).collect() });
    }
    *config = new;
    Ok(())
}

fn unknown<C>(name: &str, keys: &[Key<C>]) -> String {
    let similar = suggest::closest(name, keys.iter().map(|k| k.name));
    let similar = similar.map(|s| format!("; did you mean `{s}`?")).unwrap_or_default();
    format!("there is no setting `{name}`{similar}")
}
