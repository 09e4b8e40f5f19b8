//! One row of an event table → one value of a variable in its own unit, or the reason why not.

use std::collections::HashMap;

use crate::num::exact;
use crate::schema::{Kind, Known, Rule, Variable};

use super::finding::Finding;
use super::reason::Reason;
use super::value::{Rejected, Value, beside_number};
use crate::ingest::VariableAudit;
use crate::ingest::cohort::plan_events::Target;
use crate::ingest::text::{lower_limit, normal_text, normal_unit, shortest};

/// What a row says, before any interpretation.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) struct Raw<'a> {
    pub(in crate::ingest) number: Option<f64>,
    pub(in crate::ingest) text: Option<&'a str>,
    /// Place of the unit in [`Units`].
    pub(in crate::ingest) unit: u32,
    /// Whether the number is only a limit.
    pub(in crate::ingest) beyond: Option<Beyond>,
}

/// On which side of the number that a row states its result lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Beyond {
    Below,
    Above,
}

/// Units as written → normalised, each written form only once.
#[derive(Debug)]
pub(in crate::ingest) struct Units {
    written: HashMap<String, u32>,
    normal: Vec<String>,
}

impl Units {
    /// Place of no unit at all.
    pub(in crate::ingest) const NONE: u32 = 0;

    pub(in crate::ingest) fn new() -> Self {
        Self { written: HashMap::new(), normal: vec![String::new()] }
    }

    /// Place of the normalised form.
    pub(in crate::ingest) fn place(&mut self, written: Option<&str>) -> u32 {
        let Some(written) = written else { return Self::NONE };
        if let Some(place) = self.written.get(written) {
            return *place;
        }
        let normal = normal_unit(written);
        let place = self.normal.iter().position(|n| *n == normal).unwrap_or_else(|| {
            self.normal.push(normal);
            self.normal.len() - 1
        }) as u32;
        self.written.insert(written.to_string(), place);
        place
    }

    fn normal(&self, place: u32) -> &str {
        &self.normal[place as usize]
    }
}

/// A variable's texts and levels prepared for look-up, and its account.
#[derive(Debug)]
pub(in crate::ingest) struct Meter<'a> {
    variable: &'a Variable,
    /// Normalised text → number.
    map: HashMap<String, f64>,
    /// Normalised patterns with the code of their level.
    patterns: Vec<(String, u32)>,
    conversions: Vec<(String, f64, f64)>,
    /// The variable's own unit, normalised.
    own: String,
    /// Level names by code.
    pub(in crate::ingest) levels: Vec<String>,
    codes: HashMap<String, u32>,
    pub(in crate::ingest) audit: VariableAudit,
    units_seen: Vec<u64>,
}

impl<'a> Meter<'a> {
    pub(in crate::ingest) fn new(variable: &'a Variable) -> Self {
        let mut meter = Self {
            variable,
            map: variable.value_map.iter().map(|(text, x)| (normal_text(text), *x)).collect(),
            patterns: Vec::new(),
            conversions: variable
                .conversions
                .iter()
                .map(|c| (normal_unit(&c.unit), c.scale, c.offset))
                .collect(),
            own: normal_unit(&variable.unit),
            levels: Vec::new(),
            codes: HashMap::new(),
            audit: VariableAudit { variable: variable.name.clone(), ..VariableAudit::default() },
            units_seen: Vec::new(),
        };
        for (text, level) in &variable.levels {
            let code = meter.code(level);
            meter.patterns.push((normal_text(text), code));
        }
        meter
    }

    /// The value of a row for this variable; counts what happened.
    pub(in crate::ingest) fn measure(
        &mut self,
        target: &Target,
        raw: Raw<'_>,
        units: &Units,
    ) -> Result<Value, Rejected> {
        self.see(raw.unit);
        let outcome = if self.variable.kind == Kind::Categorical {
            self.level(raw.number, raw.text)
        } else {
            self.number(target, raw, units).map(Value::Number)
        };
        if let Err(reason) = outcome {
            self.reject(reason);
            if reason == Rejected::UnknownUnit {
                *self.audit.unknown_units.entry(units.normal(raw.unit).to_string()).or_default() += 1;
            }
        }
        outcome
    }

    /// The value of a row as [`Self::measure`] finds it, when it was counted before.
    pub(in crate::ingest) fn uncounted(
        &mut self,
        target: &Target,
        raw: Raw<'_>,
        units: &Units,
    ) -> Result<Value, Rejected> {
        let (audit, seen) = (self.audit.clone(), self.units_seen.clone());
        let outcome = self.measure(target, raw, units);
        (self.audit, self.units_seen) = (audit, seen);
        outcome
    }

    /// Whose values these are.
    pub(in crate::ingest) fn variable(&self) -> &'a Variable {
        self.variable
    }

    /// A computed value, if it is plausible.
    pub(in crate::ingest) fn computed(&mut self, known: Known) -> Finding {
        match known {
            Known::Absent => Finding::Absent,
            // Its operand was counted where it was rejected.
            Known::Rejected => Finding::Unknown,
            Known::Value(x) => match self.in_range(x, false) {
                Ok(x) => Finding::Number(self.clip(x)),
                Err(reason) => {
                    self.reject(reason);
                    Finding::Unknown
                }
            },
        }
    }

    fn clip(&mut self, x: f64) -> f64 {
        let Some((low, high)) = self.variable.clip else { return x };
        let clipped = x.clamp(low, high);
        self.audit.clipped += u64::from(clipped != x);
        clipped
    }

    /// The value of a cell of the records table or of a static table. What a column declares as text is
    /// compared as text.
    pub(in crate::ingest) fn fact(
        &mut self,
        number: Option<f64>,
        text: Option<&str>,
    ) -> Result<Value, Rejected> {
        let outcome = if self.variable.kind == Kind::Categorical {
            self.level(number, text)
        } else {
            self.canonical(number, text).and_then(|(x, _)| self.in_range(x, false)).map(Value::Number)
        };
        if let Err(reason) = outcome {
            self.reject(reason);
        } else {
            self.audit.values_kept += 1;
        }
        outcome
    }

    /// Units met, with their counts, into the audit.
    pub(in crate::ingest) fn close(&mut self, units: &Units) {
        for (place, n) in self.units_seen.drain(..).enumerate().filter(|(_, n)| *n > 0) {
            *self.audit.units.entry(units.normal(place as u32).to_string()).or_default() += n;
        }
    }

    fn see(&mut self, unit: u32) {
        let place = unit as usize;
        if self.units_seen.len() <= place {
            self.units_seen.resize(place + 1, 0);
        }
        self.units_seen[place] += 1;
    }

    /// Counts a measurement that gave no value.
    pub(in crate::ingest) fn reject(&mut self, reason: Rejected) {
        let audit = &mut self.audit;
        if reason == Rejected::MissingCode {
            audit.missing_codes += 1;
        } else {
            *audit.rejected.entry(Reason::from(reason).name().to_string()).or_default() += 1;
        }
        match reason {
            Rejected::NoNumber | Rejected::UnmappedText | Rejected::MissingCode | Rejected::Censored => {
                audit.not_a_number += 1;
            }
            Rejected::UnknownUnit => audit.unknown_unit += 1,
            Rejected::Below => audit.below_range += 1,
            Rejected::Above => audit.above_range += 1,
            // These concern when and whose it was, and the value was not looked at.
            Rejected::NoTime | Rejected::EndBeforeStart | Rejected::NoEnd | Rejected::OtherSubject => {}
        }
    }

    fn number(&mut self, target: &Target, raw: Raw<'_>, units: &Units) -> Result<f64, Rejected> {
        if let Some(x) = beside_number(target.rule, raw.text) {
            return x.and_then(|x| self.in_range(x, false)).map(|x| self.clip(x));
        }
        let (x, censored) = match (raw.beyond, raw.number) {
            (Some(Beyond::Below), Some(limit)) if self.variable.censored && limit >= 0.0 => {
                (limit / 2.0, true)
            }
            (Some(_), Some(_)) => return Err(Rejected::Censored),
            _ => self.canonical(raw.number, raw.text)?,
        };
        let x = if self.map.is_empty() { self.convert(target, x, raw.unit, units)? } else { x };
        // A source with a negative factor is subtracted (irrigant from urine): its size has to be plausible.
        let x = self.in_range(x, target.scale < 0.0)?;
        self.audit.censored += u64::from(censored);
        Ok(self.clip(x))
    }

    /// The number a row states, before units, and whether it stands for a result below a limit.
    fn canonical(&self, number: Option<f64>, text: Option<&str>) -> Result<(f64, bool), Rejected> {
        let text = text.map(str::trim).filter(|t| !t.is_empty());
        if !self.map.is_empty() {
            let as_number = match text {
                Some(text) => match self.map.get(&normal_text(text)) {
                    Some(x) => return Ok((*x, false)),
                    None => text.parse().ok(),
                },
                None => number,
            };
            let x =
                as_number.ok_or(if text.is_some() { Rejected::UnmappedText } else { Rejected::NoNumber })?;
            return match self.map.values().any(|v| *v == x) {
                true => Ok((x, false)),
                false if self.variable.missing_codes.contains(&x) => Err(Rejected::MissingCode),
                false => Err(Rejected::UnmappedText),
            };
        }
        if let Some(text) = text.filter(|t| may_be_censored(t)) {
            // A number beside such a text is the limit and no measurement.
            match lower_limit(text) {
                Some(limit) if self.variable.censored => return Ok((limit / 2.0, true)),
                Some(_) => return Err(Rejected::Censored),
                None if upper_limit(text).is_some() => return Err(Rejected::Censored),
                None => {}
            }
        }
        let x = number.filter(|x| x.is_finite()).ok_or(Rejected::NoNumber)?;
        if self.variable.missing_codes.contains(&x) { Err(Rejected::MissingCode) } else { Ok((x, false)) }
    }

    fn convert(&mut self, target: &Target, x: f64, unit: u32, units: &Units) -> Result<f64, Rejected> {
        let unit = units.normal(unit);
        let of_source = (target.scale, target.offset);
        let of_unit =
            || self.conversions.iter().find(|(u, ..)| u == unit).map(|(_, scale, add)| (*scale, *add));
        let (scale, offset) = if unit.is_empty() || target.units.iter().any(|u| u == unit) {
            match target.rule {
                Some(rule) => return self.by_rule(rule, x),
                None => of_source,
            }
        } else if !target.units.is_empty() {
            of_unit().ok_or(Rejected::UnknownUnit)?
        } else if let Some(rule) = target.rule {
            return self.by_rule(rule, x);
        } else {
            // The source names no units, so that it does not count on the unit column; where that says one
            // that the variable knows, it has to be right all the same.
            match of_unit().or((unit == self.own).then_some((1.0, 0.0))) {
                Some(stated) if stated == of_source || of_source == (1.0, 0.0) => stated,
                // The source converts from another unit than the row says, and one of them is wrong.
                Some(_) => return Err(Rejected::UnknownUnit),
                // A variable with conversions names the units that it can be in.
                None if !self.conversions.is_empty() => return Err(Rejected::UnknownUnit),
                None => {
                    *self.audit.unlisted_units.entry(unit.to_owned()).or_default() += 1;
                    of_source
                }
            }
        };
        if scale == 1.0 && offset == 0.0 {
            return Ok(x);
        }
        self.audit.converted += 1;
        Ok(x * scale + offset)
    }

    fn by_rule(&mut self, rule: Rule, x: f64) -> Result<f64, Rejected> {
        match rule {
            Rule::NotConvertible => Err(Rejected::UnknownUnit),
            // Neither looks at the number of the row: `number` has dealt with them.
            Rule::Present | Rule::BeforeSlash | Rule::AfterSlash => Err(Rejected::NoNumber),
            Rule::MixedFraction if x <= 1.0 => Ok(x),
            Rule::MixedFraction if x < 21.0 => Err(Rejected::Below),
            Rule::MixedFraction if x > 100.0 => Err(Rejected::Above),
            Rule::MixedFraction => {
                self.audit.converted += 1;
                Ok(x / 100.0)
            }
        }
    }

    fn in_range(&self, x: f64, subtracted: bool) -> Result<f64, Rejected> {
        let size = if subtracted { -x } else { x };
        // Yes or no, and nothing between or beyond.
        if self.variable.kind == Kind::Binary && x != 0.0 && x != 1.0 {
            return Err(if x < 0.0 { Rejected::Below } else { Rejected::Above });
        }
        let (low, high) = self.variable.range.unwrap_or((-exact::LIMIT, exact::LIMIT));
        if size < low.max(-exact::LIMIT) {
            Err(Rejected::Below)
        } else if size > high.min(exact::LIMIT) {
            Err(Rejected::Above)
        } else {
            // −0 and 0 compare equal, so which of them a minimum returns would depend on the order of rows.
            Ok(x + 0.0)
        }
    }

    fn level(&mut self, number: Option<f64>, text: Option<&str>) -> Result<Value, Rejected> {
        let stated = text.map(str::trim).filter(|t| !t.is_empty());
        let coded = number.or_else(|| stated.and_then(|t| t.parse().ok()));
        if coded.is_some_and(|x| self.variable.missing_codes.contains(&x)) {
            return Err(Rejected::MissingCode);
        }
        let text =
            stated.map(ToString::to_string).or_else(|| number.map(shortest)).ok_or(Rejected::NoNumber)?;
        if self.patterns.is_empty() {
            return Ok(Value::Level(self.code(&text)));
        }
        // A number may be written `1.0` as text. A code with a leading zero is no number: 0389 is not 389.
        let code = text.trim_start_matches('-').as_bytes();
        let is_code = code.len() > 1 && code[0] == b'0' && code[1].is_ascii_digit();
        let (text, plain) = (normal_text(&text), coded.filter(|_| !is_code).map(shortest));
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(head) => text.starts_with(head),
            None => text == pattern || plain.as_deref() == Some(pattern),
        };
        let found = self.patterns.iter().find(|(pattern, _)| fits(pattern));
        found.map(|(_, code)| Value::Level(*code)).ok_or(Rejected::UnmappedText)
    }

    fn code(&mut self, level: &str) -> u32 {
        if let Some(code) = self.codes.get(level) {
            return *code;
        }
        let code = self.levels.len() as u32;
        self.levels.push(level.to_string());
        self.codes.insert(level.to_string(), code);
        code
    }
}

/// A quick look at a text, since most are numbers: `<0.5`, `>200`, `LESS THAN 0.5`, `GREATER THAN 200`.
fn may_be_censored(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'<' | b'>' | b'l' | b'L' | b'g' | b'G'))
}

/// The limit of a result reported as above it, as [`lower_limit`] reads those below.
fn upper_limit(text: &str) -> Option<f64> {
    let rest = match text.strip_prefix('>') {
        Some(rest) => rest,
        None => {
            text.get(..12).filter(|head| head.eq_ignore_ascii_case("greater than")).map(|_| &text[12..])?
        }
    };
    lower_limit(&format!("<{}", rest.trim_start()))
}

#[cfg(test)]
mod tests;
