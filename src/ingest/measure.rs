//! One row of an event table → one value of a variable in its own unit, or the reason why not.

use std::collections::HashMap;

use crate::num::exact;
use crate::schema::{Kind, Rule, Variable};

use super::VariableAudit;
use super::plan::Target;
use super::text::{lower_limit, normal_text, normal_unit, shortest};

/// Why a row within a record's window gave no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    NoNumber,
    UnmappedText,
    MissingCode,
    UnknownUnit,
    Below,
    Above,
}

/// An accepted value: a number in the variable's unit, or a level's code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Level(u32),
}

/// What a row says, before any interpretation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) number: Option<f64>,
    pub(super) text: Option<&'a str>,
    /// Place of the unit in [`Units`].
    pub(super) unit: u32,
}

/// Units as written → normalised, each written form only once.
#[derive(Debug)]
pub(super) struct Units {
    written: HashMap<String, u32>,
    normal: Vec<String>,
}

impl Units {
    /// Place of no unit at all.
    pub(super) const NONE: u32 = 0;

    pub(super) fn new() -> Self {
        Self { written: HashMap::new(), normal: vec![String::new()] }
    }

    /// Place of the normalised form.
    pub(super) fn place(&mut self, written: Option<&str>) -> u32 {
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
pub(super) struct Meter<'a> {
    variable: &'a Variable,
    /// Normalised text → number.
    map: HashMap<String, f64>,
    /// Normalised patterns with the code of their level.
    patterns: Vec<(String, u32)>,
    conversions: Vec<(String, f64, f64)>,
    /// Level names by code.
    pub(super) levels: Vec<String>,
    codes: HashMap<String, u32>,
    pub(super) audit: VariableAudit,
    units_seen: Vec<u64>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(variable: &'a Variable) -> Self {
        let mut meter = Self {
            variable,
            map: variable.value_map.iter().map(|(text, x)| (normal_text(text), *x)).collect(),
            patterns: Vec::new(),
            conversions: variable
                .conversions
                .iter()
                .map(|c| (normal_unit(&c.unit), c.scale, c.offset))
                .collect(),
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
    pub(super) fn measure(
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
        }
        outcome
    }

    /// Whose values these are.
    pub(super) fn variable(&self) -> &'a Variable {
        self.variable
    }

    /// A computed value, when it is there and plausible.
    pub(super) fn computed(&mut self, x: Option<f64>) -> Option<f64> {
        let outcome = x.ok_or(Rejected::NoNumber).and_then(|x| self.in_range(x, false));
        match outcome {
            Ok(x) => Some(self.clip(x)),
            // What cannot be computed for want of an operand is no finding.
            Err(Rejected::NoNumber) => None,
            Err(reason) => {
                self.reject(reason);
                None
            }
        }
    }

    fn clip(&mut self, x: f64) -> f64 {
        let Some((low, high)) = self.variable.clip else { return x };
        let clipped = x.clamp(low, high);
        self.audit.clipped += u64::from(clipped != x);
        clipped
    }

    /// The value of a cell of the records table or of a static table.
    pub(super) fn fact(&mut self, number: Option<f64>, text: Option<&str>) -> Result<Value, Rejected> {
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
    pub(super) fn close(&mut self, units: &Units) {
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

    fn reject(&mut self, reason: Rejected) {
        let counter = match reason {
            Rejected::NoNumber | Rejected::UnmappedText | Rejected::MissingCode => {
                &mut self.audit.not_a_number
            }
            Rejected::UnknownUnit => &mut self.audit.unknown_unit,
            Rejected::Below => &mut self.audit.below_range,
            Rejected::Above => &mut self.audit.above_range,
        };
        *counter += 1;
    }

    fn number(&mut self, target: &Target, raw: Raw<'_>, units: &Units) -> Result<f64, Rejected> {
        let (x, censored) = self.canonical(raw.number, raw.text)?;
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
        if let Some(limit) = text.filter(|_| self.variable.censored).and_then(lower_limit) {
            return Ok((limit / 2.0, true));
        }
        let x = number.filter(|x| x.is_finite()).ok_or(Rejected::NoNumber)?;
        if self.variable.missing_codes.contains(&x) { Err(Rejected::MissingCode) } else { Ok((x, false)) }
    }

    fn convert(&mut self, target: &Target, x: f64, unit: u32, units: &Units) -> Result<f64, Rejected> {
        let unit = units.normal(unit);
        let of_source = target.units.is_empty() || unit.is_empty() || target.units.iter().any(|u| u == unit);
        let (scale, offset) = if of_source {
            if let Some(rule) = target.rule {
                return self.by_rule(rule, x);
            }
            (target.scale, target.offset)
        } else {
            let conversion =
                self.conversions.iter().find(|(u, ..)| u == unit).ok_or(Rejected::UnknownUnit)?;
            (conversion.1, conversion.2)
        };
        if scale == 1.0 && offset == 0.0 {
            return Ok(x);
        }
        self.audit.converted += 1;
        Ok(x * scale + offset)
    }

    fn by_rule(&mut self, rule: Rule, x: f64) -> Result<f64, Rejected> {
        match rule {
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
        let number = number.or_else(|| stated.and_then(|t| t.parse().ok()));
        if number.is_some_and(|x| self.variable.missing_codes.contains(&x)) {
            return Err(Rejected::MissingCode);
        }
        let text =
            stated.map(ToString::to_string).or_else(|| number.map(shortest)).ok_or(Rejected::NoNumber)?;
        if self.patterns.is_empty() {
            return Ok(Value::Level(self.code(&text)));
        }
        // A number may be written `1.0` as text.
        let (text, plain) = (normal_text(&text), number.map(shortest));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Aggregation, Conversion};

    fn variable(change: impl FnOnce(&mut Variable)) -> Variable {
        let mut v = Variable {
            name: "x".into(),
            label: "x".into(),
            group: "test".into(),
            unit: "kg".into(),
            kind: Kind::Continuous,
            range: None,
            clip: None,
            resolution: None,
            missing_codes: vec![],
            value_map: vec![],
            levels: vec![],
            absent: None,
            censored: false,
            conversions: vec![],
            sources: vec![],
            derived: None,
            aggregate: Aggregation::Mean,
        };
        change(&mut v);
        v
    }

    fn target(change: impl FnOnce(&mut Target)) -> Target {
        let mut t = Target {
            variable: 0,
            slot: 0,
            units: vec![],
            scale: 1.0,
            offset: 0.0,
            rule: None,
            precedence: 0,
        };
        change(&mut t);
        t
    }

    fn measure(
        v: &Variable,
        t: &Target,
        rows: &[(Option<f64>, Option<&str>, Option<&str>)],
    ) -> (Vec<Result<Value, Rejected>>, VariableAudit) {
        let (mut meter, mut units) = (Meter::new(v), Units::new());
        let out = rows
            .iter()
            .map(|(number, text, unit)| {
                let unit = units.place(*unit);
                meter.measure(t, Raw { number: *number, text: *text, unit }, &units)
            })
            .collect();
        meter.close(&units);
        (out, meter.audit)
    }

    #[test]
    fn units_decide_the_conversion() {
        let v = variable(|v| {
            v.conversions = vec![Conversion { unit: "lb".into(), scale: 0.5, offset: 0.0 }];
        });
        let t = target(|t| t.units = vec!["kg".into()]);
        let row = |unit| (Some(8.0), None, unit);
        let (out, audit) =
            measure(&v, &t, &[row(Some(" KG")), row(None), row(Some("")), row(Some("lb")), row(Some("st"))]);
        let eight = Ok(Value::Number(8.0));
        assert_eq!(out, [eight, eight, eight, Ok(Value::Number(4.0)), Err(Rejected::UnknownUnit)]);
        assert_eq!((audit.converted, audit.unknown_unit), (1, 1));
        let seen: Vec<_> = audit.units.iter().map(|(u, n)| (u.as_str(), *n)).collect();
        assert_eq!(seen, [("", 2), ("kg", 1), ("lb", 1), ("st", 1)]);
    }

    #[test]
    fn pounds_under_a_null_unit_take_the_source_factor() {
        let v = variable(|v| v.range = Some((0.0, 400.0)));
        let t = target(|t| t.scale = 0.453_592_37);
        let (out, audit) = measure(&v, &t, &[(Some(200.0), None, None), (Some(200.0), None, Some("torr"))]);
        assert_eq!(out, [Ok(Value::Number(90.718_474)); 2]);
        assert_eq!(audit.converted, 2);
    }

    #[test]
    fn mixed_fraction_follows_its_rule() {
        let v = variable(|v| v.range = Some((0.2, 1.0)));
        let t = target(|t| t.rule = Some(Rule::MixedFraction));
        let rows = [0.4, 40.0, 2.0, 190.0, 0.0, 21.0, 100.0].map(|x| (Some(x), None, Some("torr")));
        let (out, audit) = measure(&v, &t, &rows);
        let (below, above) = (Err(Rejected::Below), Err(Rejected::Above));
        let [a, b, c] = [0.4, 0.21, 1.0].map(|x| Ok(Value::Number(x)));
        assert_eq!(out, [a, a, below, above, below, b, c]);
        assert_eq!((audit.below_range, audit.above_range, audit.converted), (2, 1, 3));
    }

    #[test]
    fn text_decides_where_there_is_a_value_map() {
        let v = variable(|v| v.value_map = vec![("None".into(), 1.0), ("To Speech".into(), 3.0)]);
        let rows = [
            (None, Some("None "), None),
            (Some(3.0), Some("3"), None),
            (Some(1.0), Some("1.0 ET/Trach"), None),
            (Some(3.0), None, None),
            (None, None, None),
            (Some(7.0), Some("7"), None),
        ];
        let (out, audit) = measure(&v, &target(|_| ()), &rows);
        let (one, three) = (Ok(Value::Number(1.0)), Ok(Value::Number(3.0)));
        let unmapped = Err(Rejected::UnmappedText);
        assert_eq!(out, [one, three, unmapped, three, Err(Rejected::NoNumber), unmapped]);
        assert_eq!(audit.not_a_number, 3);
    }

    #[test]
    fn censored_results_are_half_their_limit_only_where_declared() {
        let rows =
            [(None, Some("<0.01"), None), (None, Some("LESS THAN 10"), None), (Some(5.0), Some("5"), None)];
        let (out, audit) = measure(&variable(|v| v.censored = true), &target(|_| ()), &rows);
        assert_eq!(out, [0.005, 5.0, 5.0].map(|x| Ok(Value::Number(x))));
        assert_eq!(audit.censored, 2);
        let (out, _) = measure(&variable(|_| ()), &target(|_| ()), &rows);
        assert_eq!(out[..2], [Err(Rejected::NoNumber); 2]);
    }

    #[test]
    fn implausible_and_missing_values_are_counted() {
        let v = variable(|v| {
            v.range = Some((10.0, 300.0));
            v.missing_codes = vec![-1.0];
        });
        let rows = [11_647.0, 9.9, -1.0, f64::NAN, 10.0, 300.0].map(|x| (Some(x), None, None));
        let (out, audit) = measure(&v, &target(|_| ()), &rows);
        assert_eq!(out.iter().filter(|o| o.is_ok()).count(), 2);
        assert_eq!((audit.above_range, audit.below_range, audit.not_a_number), (1, 1, 2));
    }

    #[test]
    fn a_subtracted_source_is_plausible_by_its_size() {
        let v = variable(|v| v.range = Some((0.0, 5000.0)));
        let t = target(|t| t.scale = -1.0);
        let (out, _) = measure(&v, &t, &[(Some(300.0), None, None), (Some(9000.0), None, None)]);
        assert_eq!(out, [Ok(Value::Number(-300.0)), Err(Rejected::Above)]);
    }

    #[test]
    fn levels_match_by_text_number_and_beginning() {
        let v = variable(|v| {
            v.kind = Kind::Categorical;
            v.levels = [("1", "coronary"), ("white*", "white"), ("*", "other")]
                .map(|(a, b)| (a.into(), b.into()))
                .to_vec();
        });
        let mut meter = Meter::new(&v);
        let mut level = |number, text| match meter.fact(number, text) {
            Ok(Value::Level(code)) => meter.levels[code as usize].clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(level(Some(1.0), None), "coronary");
        assert_eq!(level(None, Some("1.0")), "coronary");
        assert_eq!(level(None, Some("WHITE - RUSSIAN")), "white");
        assert_eq!(level(None, Some("unknown")), "other");
    }
}
