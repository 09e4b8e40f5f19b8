//! The value of an expression for what is known of its operands.

use super::{Expression, Function, Node};

/// What is known of a part of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known {
    /// Its value.
    Value(f64),
    /// Nothing was recorded.
    Absent,
    /// Something was recorded that cannot be used, or that gives no finite number.
    Rejected,
}

impl Known {
    /// The value, if there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(x) => Some(x),
            Self::Absent | Self::Rejected => None,
        }
    }

    /// This, if it is a finite number or none; a number that is not finite cannot be used.
    fn finite(self) -> Self {
        match self {
            Self::Value(x) if !x.is_finite() => Self::Rejected,
            other => other,
        }
    }
}

impl From<Option<f64>> for Known {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

impl Expression {
    /// The value for what is known of the operands by place.
    pub fn evaluate(&self, operand: &dyn Fn(usize) -> Known, hours: f64) -> Known {
        evaluate(&self.root, operand, hours).finite()
    }
}

fn evaluate(node: &Node, operand: &dyn Fn(usize) -> Known, hours: f64) -> Known {
    let part = |node: &Node| evaluate(node, operand, hours);
    match node {
        Node::Number(x) => Known::Value(*x),
        Node::Operand(place) => operand(*place),
        Node::Hours => Known::Value(hours),
        Node::Negative(inner) => of_all(&[part(inner)], |x| -x[0]),
        Node::Binary(symbol, left, right) => of_all(&[part(left), part(right)], |x| match symbol {
            '+' => x[0] + x[1],
            '-' => x[0] - x[1],
            '*' => x[0] * x[1],
            '/' => x[0] / x[1],
            _ => x[0].powf(x[1]),
        }),
        Node::Call(Function::Coalesce, parts) => coalesce(parts, &part),
        Node::Call(function, parts) => {
            let known: Vec<Known> = parts.iter().map(part).collect();
            of_all(&known, |values| match function {
                Function::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
                Function::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                Function::Abs => values[0].abs(),
                Function::Sqrt => values[0].sqrt(),
                Function::Ln => values[0].ln(),
                Function::Exp => values[0].exp(),
                Function::Coalesce => unreachable!("invariant: handled above"),
            })
        }
    }
}

/// A function of parts that all have to be there. One that was rejected tells more than one that is absent.
fn of_all(parts: &[Known], function: impl Fn(&[f64]) -> f64) -> Known {
    let values: Option<Vec<f64>> = parts.iter().map(|part| part.value()).collect();
    match values {
        Some(values) => Known::Value(function(&values)),
        None if parts.contains(&Known::Rejected) => Known::Rejected,
        None => Known::Absent,
    }
}

/// The first part that is there, but no constant in place of something that was rejected.
fn coalesce(parts: &[Node], known: &dyn Fn(&Node) -> Known) -> Known {
    let mut rejected = false;
    for part in parts {
        match known(part).finite() {
            Known::Value(_) if rejected && part.is_constant() => break,
            Known::Value(x) => return Known::Value(x),
            Known::Rejected => rejected = true,
            Known::Absent => {}
        }
    }
    if rejected { Known::Rejected } else { Known::Absent }
}

impl Node {
    /// Whether no measurement and no fact is part of it.
    fn is_constant(&self) -> bool {
        match self {
            Self::Number(_) | Self::Hours => true,
            Self::Operand(_) => false,
            Self::Negative(inner) => inner.is_constant(),
            Self::Binary(_, left, right) => left.is_constant() && right.is_constant(),
            Self::Call(_, parts) => parts.iter().all(Self::is_constant),
        }
    }
}
