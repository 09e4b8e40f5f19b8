//! Physical units of signals: their spellings, and how one is converted into another.
//!
//! Records of one study name one unit in several ways (`uV`, `µV`; `mmHg`, `MM HG`) and differ in the unit
//! itself (mV and uV, mmHg and kPa). A unit is known by the quantity it measures and by its size in a base
//! unit of that quantity; two units can be converted when they measure the same quantity. What is not in the
//! table is a quantity by itself, so that normalised units (`NU`) meet nothing but normalised units.

/// A unit as a header spells it, with what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    /// The usual spelling, or the header's where the unit is not known.
    pub(super) name: String,
    /// What is measured; units of one quantity can be converted.
    pub(super) quantity: String,
    /// Base units in one of this unit.
    size: f64,
    /// Base units at zero of this unit.
    zero: f64,
}

/// Usual spelling, quantity, size and zero in base units, and other spellings in lower case without blanks.
type Row = (&'static str, &'static str, f64, f64, &'static [&'static str]);

/// Pressures in pascal: 1 mmHg is 133.322387415 Pa, and 1 cmH2O is 98.0665 Pa (NIST SP 811, appendix B.8).
/// Letter case tells nothing apart here: nobody records megavolts at a bedside, and headers shout (`MV`,
/// `MMHG`).
const UNITS: &[Row] = &[
    ("V", "voltage", 1.0, 0.0, &["v", "volt", "volts"]),
    ("mV", "voltage", 1e-3, 0.0, &["mv", "millivolt", "millivolts"]),
    ("uV", "voltage", 1e-6, 0.0, &["uv", "mcv", "microvolt", "microvolts"]),
    ("nV", "voltage", 1e-9, 0.0, &["nv", "nanovolt", "nanovolts"]),
    ("mmHg", "pressure", 133.322_387_415, 0.0, &["mmhg", "torr", "mm[hg]"]),
    ("kPa", "pressure", 1e3, 0.0, &["kpa", "kilopascal"]),
    ("hPa", "pressure", 1e2, 0.0, &["hpa", "mbar", "hectopascal", "millibar"]),
    ("Pa", "pressure", 1.0, 0.0, &["pa", "pascal"]),
    ("bar", "pressure", 1e5, 0.0, &["bar"]),
    ("cmH2O", "pressure", 98.066_5, 0.0, &["cmh2o", "cmh20", "cmwater", "cm[h2o]"]),
    ("degC", "temperature", 1.0, 0.0, &["degc", "c", "°c", "celsius", "cel", "deg.c"]),
    ("degF", "temperature", 5.0 / 9.0, -160.0 / 9.0, &["degf", "f", "°f", "fahrenheit", "deg.f"]),
    ("K", "temperature", 1.0, -273.15, &["k", "kelvin"]),
    ("%", "share", 1.0, 0.0, &["%", "percent", "pct", "per_cent", "percentage"]),
    ("bpm", "rate", 1.0, 0.0, &["bpm", "beats/min", "/min", "1/min", "min-1", "br/min", "breaths/min"]),
    ("ohm", "resistance", 1.0, 0.0, &["ohm", "ohms", "Ω"]),
    ("kOhm", "resistance", 1e3, 0.0, &["kohm", "kohms", "kω"]),
    ("L/min", "flow", 1.0, 0.0, &["l/min", "lpm", "liters/min", "litres/min"]),
    ("mL/min", "flow", 1e-3, 0.0, &["ml/min"]),
    ("L/s", "flow", 60.0, 0.0, &["l/s", "l/sec"]),
    ("mL/s", "flow", 0.06, 0.0, &["ml/s", "ml/sec"]),
    ("L", "volume", 1.0, 0.0, &["l", "liter", "litre", "liters", "litres"]),
    ("mL", "volume", 1e-3, 0.0, &["ml", "cc"]),
    ("s", "time", 1.0, 0.0, &["s", "sec", "second", "seconds"]),
    ("ms", "time", 1e-3, 0.0, &["ms", "msec", "millisecond", "milliseconds"]),
    ("NU", "normalised units", 1.0, 0.0, &["nu", "n.u.", "normalized", "normalised", "au", "a.u."]),
];

impl Unit {
    /// The unit of this spelling. Blanks, letter case and the two micro signs make no difference.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let plain: String = text
            .to_lowercase()
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| if matches!(c, 'µ' | 'μ') { 'u' } else { c })
            .collect();
        match UNITS.iter().find(|row| row.4.contains(&plain.as_str())) {
            Some(&(name, quantity, size, zero, _)) => {
                Self { name: name.to_owned(), quantity: quantity.to_owned(), size, zero }
            }
            None => Self { name: text.to_owned(), quantity: format!("unit {plain}"), size: 1.0, zero: 0.0 },
        }
    }

    /// The unit of a signal whose header states a gain of 0: its amplitudes are not calibrated, whatever it
    /// calls them.
    pub(super) fn uncalibrated() -> Self {
        Self {
            name: "uncalibrated".to_owned(),
            quantity: "uncalibrated amplitude".to_owned(),
            size: 1.0,
            zero: 0.0,
        }
    }

    /// `(factor, offset)` with `other = factor · this + offset`; none where the quantities differ.
    pub(super) fn to(&self, other: &Self) -> Option<(f64, f64)> {
        (self.quantity == other.quantity)
            .then(|| (self.size / other.size, (self.zero - other.zero) / other.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_one_quantity_are_converted_whatever_their_spelling() {
        for (from, to, x, expected) in [
            ("uV", "mV", 1500.0, 1.5),
            ("µV", "mV", 1500.0, 1.5),
            ("μV", "MV", 1500.0, 1.5),
            ("V", "mv", 0.002, 2.0),
            ("kPa", "mmHg", 12.0, 90.007_389),
            ("MM HG", "mmHg", 90.0, 90.0),
            ("cmH2O", "hPa", 10.0, 9.806_65),
            ("degF", "degC", 98.6, 37.0),
            ("K", "C", 310.15, 37.0),
            ("NU", "nu", 3.0, 3.0),
            ("furlong", " Furlong", 2.0, 2.0),
        ] {
            let (factor, offset) = Unit::parse(from).to(&Unit::parse(to)).unwrap();
            assert!((x * factor + offset - expected).abs() < 1e-5, "{from} {to}");
        }
    }

    #[test]
    fn other_quantities_are_not_converted() {
        for (from, to) in [("mV", "mmHg"), ("NU", "mV"), ("furlong", "mV"), ("", "mV"), ("%", "NU")] {
            assert_eq!(Unit::parse(from).to(&Unit::parse(to)), None, "{from} {to}");
        }
        assert_eq!(Unit::uncalibrated().to(&Unit::parse("mV")), None);
    }
}
