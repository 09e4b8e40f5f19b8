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
    /// The value for what is known of the operands by place, in a window of so many hours.
    pub fn evaluate(&self, operand: &dyn Fn(usize) -> Known, hours: f64) -> Known {
        self.evaluate_at(operand, hours, hours)
    }

    /// The same at a moment, so many hours after the start of the record.
    pub fn evaluate_at(&self, operand: &dyn Fn(usize) -> Known, hours: f64, elapsed: f64) -> Known {
        evaluate(&self.root, operand, [hours, elapsed]).finite()
    }
}

fn evaluate(node: &Node, operand: &dyn Fn(usize) -> Known, times: [f64; 2]) -> Known {
    let part = |node: &Node| evaluate(node, operand, times);
    match node {
        Node::Number(x) => Known::Value(*x),
        Node::Operand(place) => operand(*place),
        Node::Hours => Known::Value(times[0]),
        Node::Elapsed => Known::Value(times[1]),
        Node::Negative(inner) => of_all(&[part(inner)], |x| -x[0]),
        Node::Binary(symbol, left, right) => of_all(&[part(left), part(right)], |x| match symbol {
            '+' => x[0] + x[1],
            '-' => x[0] - x[1],
            '*' => x[0] * x[1],
            '/' => x[0] / x[1],
            _ => x[0].powf(x[1]),
        }),
        Node::Call(Function::Coalesce, parts) => coalesce(parts, &part),
        Node::Call(Function::Part, parts) => part(&parts[0]),
        Node::Call(Function::Where, parts) => match part(&parts[1]) {
            Known::Value(0.0) => Known::Absent,
            Known::Value(_) => part(&parts[0]),
            unknown => unknown,
        },
        Node::Call(function, parts) => {
            let known: Vec<Known> = parts.iter().map(part).collect();
            of_all(&known, |values| match function {
                Function::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
                Function::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                Function::Abs => values[0].abs(),
                Function::Sqrt => values[0].sqrt(),
                Function::Ln => values[0].ln(),
                Function::Exp => values[0].exp(),
                Function::Steps => step(values, |x, bound| x >= bound),
                Function::StepsAbove => step(values, |x, bound| x > bound),
                Function::Coalesce | Function::Part | Function::Where => {
                    unreachable!("invariant: handled above")
                }
            })
        }
    }
}

/// The value of the step that the first number lies on, of a first value and pairs of a bound and the value
/// beyond it.
fn step(values: &[f64], is_beyond: impl Fn(f64, f64) -> bool) -> f64 {
    if values[0].is_nan() {
        return f64::NAN;
    }
    let beyond = values[2..].chunks_exact(2).take_while(|pair| is_beyond(values[0], pair[0]));
    beyond.last().map_or(values[1], |pair| pair[1])
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
