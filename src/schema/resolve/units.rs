//! Units as products of powers: whether an expression adds like to like and gives the unit it declares.
//!
//! A factor may convert (`height / 100` from cm to m), so the unit of a product with a number is uncertain:
//! it still may be added to its like, but is not held against the declared unit.

use std::collections::BTreeMap;

use crate::schema::{Expression, Known, Node};

/// Names of pure numbers.
const PURE: [&str; 4] = ["", "1", "fraction", "ratio"];

/// A unit, or that of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dimension {
    /// Unit names with their powers; none is 0.
    powers: BTreeMap<String, f64>,
    /// Multiplied by a number that may convert it.
    scaled: bool,
    /// A number itself, which takes any unit.
    literal: bool,
}

impl Dimension {
    fn pure() -> Self {
        Self { powers: BTreeMap::new(), scaled: false, literal: false }
    }

    fn times(mut self, other: &Self, sign: f64) -> Self {
        for (unit, power) in &other.powers {
            *self.powers.entry(unit.clone()).or_default() += sign * power;
        }
        self.powers.retain(|_, power| *power != 0.0);
        self.scaled |= other.scaled || self.literal != other.literal;
        self.literal &= other.literal;
        self
    }

    fn power(mut self, exponent: f64) -> Self {
        self.powers.values_mut().for_each(|p| *p *= exponent);
        self.powers.retain(|_, power| *power != 0.0);
        self
    }

    /// Whether no factor may have converted it.
    pub(super) fn is_certain(&self) -> bool {
        !self.scaled && !self.literal
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        self.powers == other.powers
    }

    pub(super) fn show(&self) -> String {
        let part = |positive: bool| {
            let of_sign = self.powers.iter().filter(|(_, p)| (**p > 0.0) == positive);
            of_sign
                .map(|(unit, p)| if p.abs() == 1.0 { unit.clone() } else { format!("{unit}^{}", p.abs()) })
                .collect::<Vec<_>>()
        };
        let (above, below) = (part(true), part(false));
        let above = if above.is_empty() { "1".to_owned() } else { above.join("·") };
        std::iter::once(above).chain(below).collect::<Vec<_>>().join("/")
    }
}

/// A unit as written: `mL/kg/h`, `mmHg`, `kg/m²`; case and spaces do not matter.
pub(super) fn of_unit(unit: &str) -> Dimension {
    let plain: String = unit.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let plain = plain.replace('²', "^2").replace('³', "^3");
    let mut dimension = Dimension::pure();
    for (i, part) in plain.split('/').enumerate() {
        for name in part.split(['·', '*']).filter(|name| !PURE.contains(name)) {
            // `10^9` is a number of things, not a power of a unit.
            let (name, power) = match name.rsplit_once('^') {
                Some((base, power)) if !base.starts_with(|c: char| c.is_ascii_digit()) => {
                    (base, power.parse().unwrap_or(1.0))
                }
                _ => (name, 1.0),
            };
            *dimension.powers.entry(name.to_owned()).or_default() += if i == 0 { power } else { -power };
        }
    }
    dimension.powers.retain(|_, power| *power != 0.0);
    dimension
}

/// The unit of an expression for those of its operands; none where it cannot be told.
///
/// # Errors
/// What does not fit together.
pub(super) fn of_node(node: &Node, operands: &[Option<Dimension>]) -> Result<Option<Dimension>, String> {
    use crate::schema::Function;
    let of = |node: &Node| of_node(node, operands);
    Ok(match node {
        Node::Number(_) => Some(Dimension { literal: true, ..Dimension::pure() }),
        Node::Operand(place) => operands[*place].clone(),
        Node::Hours | Node::Elapsed => Some(of_unit("h")),
        Node::Negative(part) => of(part)?,
        Node::Binary('+' | '-', left, right) => alike([of(left)?, of(right)?])?,
        Node::Binary('*', left, right) => of(left)?.zip(of(right)?).map(|(a, b)| a.times(&b, 1.0)),
        Node::Binary('/', left, right) => of(left)?.zip(of(right)?).map(|(a, b)| a.times(&b, -1.0)),
        Node::Binary(_, base, exponent) => {
            of(exponent)?;
            match (of(base)?, constant(exponent)) {
                (Some(base), Some(exponent)) => Some(base.power(exponent)),
                (Some(base), None) if base.powers.is_empty() => Some(base),
                _ => None,
            }
        }
        Node::Call(Function::Coalesce | Function::Min | Function::Max, parts) => {
            alike(parts.iter().map(of).collect::<Result<Vec<_>, _>>()?)?
        }
        Node::Call(Function::Abs | Function::Part | Function::Where, parts) => of(&parts[0])?,
        Node::Call(Function::Sqrt, parts) => of(&parts[0])?.map(|u| u.power(0.5)),
        // Points and stages have no unit, and a table may hold numbers of any.
        Node::Call(Function::Steps | Function::StepsAbove | Function::Ln | Function::Exp, parts) => {
            parts.iter().try_for_each(|part| of(part).map(drop))?;
            None
        }
    })
}

fn constant(node: &Node) -> Option<f64> {
    let expression = Expression { root: node.clone(), operands: Vec::new() };
    matches!(node, Node::Number(_) | Node::Negative(_))
        .then(|| expression.evaluate(&|_| Known::Absent, 0.0).value())
        .flatten()
}

/// The unit that all parts have; numbers take that of the others.
fn alike(parts: impl IntoIterator<Item = Option<Dimension>>) -> Result<Option<Dimension>, String> {
    let mut common: Option<Dimension> = None;
    let mut unknown = false;
    for part in parts {
        let Some(part) = part else {
            unknown = true;
            continue;
        };
        common = Some(match common {
            None => part,
            Some(first) if part.literal => first,
            Some(first) if first.literal => part,
            Some(first) if first.same(&part) || first.scaled || part.scaled => {
                Dimension { scaled: first.scaled || part.scaled, ..first }
            }
            Some(first) => {
                return Err(format!("{} and {} are not of one unit", first.show(), part.show()));
            }
        });
    }
    Ok(if unknown { None } else { common })
}

/// Whether two units are one; case and spaces do not matter.
pub fn same_unit(a: &str, b: &str) -> bool {
    let plain = |unit: &str| {
        unit.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect::<String>()
    };
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str, operands: &[&str]) -> Result<Option<Dimension>, String> {
        let operands: Vec<_> = operands.iter().map(|u| Some(of_unit(u))).collect();
        of_node(&Expression::parse(text).unwrap().root, &operands)
    }

    #[test]
    fn units_multiply_and_cancel() {
        let found = unit("a / b / hours", &["mL", "kg"]).unwrap().unwrap();
        assert!(found.same(&of_unit("mL/kg/h")) && found.is_certain(), "{found:?}");
        assert_eq!(found.show(), "ml/h/kg");
        assert!(unit("a / b", &["mmHg", "fraction"]).unwrap().unwrap().same(&of_unit("MM HG")));
        assert!(unit("a / b ^ 2", &["kg", "m"]).unwrap().unwrap().same(&of_unit("kg/m²")));
        assert!(of_unit("10^9/L").same(&of_unit("10^9 / l")));
    }

    #[test]
    fn unlike_units_are_not_added() {
        assert_eq!(unit("a + b", &["mmHg", "kPa"]).unwrap_err(), "mmhg and kpa are not of one unit");
        assert!(unit("coalesce(a, b)", &["mmHg", "bpm"]).is_err());
        assert!(unit("(a + 2 * b) / 3", &["mmHg", "mmHg"]).unwrap().unwrap().same(&of_unit("mmHg")));
        assert!(unit("a - 273.15", &["K"]).is_ok());
    }

    #[test]
    fn factors_may_convert() {
        assert!(!unit("a / (b / 100) ^ 2", &["kg", "cm"]).unwrap().unwrap().is_certain());
    }
}
