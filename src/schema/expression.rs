//! The language of derived variables: arithmetic over other variables.
//!
//! ```text
//! sum     = product (("+" | "-") product)*
//! product = power (("*" | "/") power)*
//! power   = ["-"] atom ["^" ["-"] atom]
//! atom    = NUMBER | NAME [":" AGGREGATION] | FUNCTION "(" sum ("," sum)* ")" | "(" sum ")"
//! ```
//!
//! A bare name of a measured variable stands for its measurements, taken together by time; with an aggregation
//! (`weight:first`) for the aggregate over the same window; a fact of the record (`age`) for itself; `hours` for the
//! length of the window, up to the end of the record. What is missing makes the result missing, except in
//! `coalesce(a, b, …)`, the first that is there. A result that is not finite is missing.
//!
//! A part is missing because nothing was recorded (*absent*) or because what was recorded cannot be used (*rejected*).
//! A constant at the end of `coalesce` says what absence means, and never stands in for something rejected: with an
//! unusable rate, `coalesce(rate:max, 0)` is missing and not 0. Another measurement may stand in for it.

mod parser;

use super::Aggregation;

use self::parser::Parser;

/// Longer than any formula of medicine, and short enough that a tree as deep as the text is long fits every stack.
const LENGTH: usize = 2000;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The whole of it.
    pub root: Node,
    /// The variables it names, each once, in order.
    pub operands: Vec<Operand>,
}

/// A variable in an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// Name of the variable.
    pub variable: String,
    /// Its aggregate over the window; none: its measurements, or the fact it is.
    pub aggregation: Option<Aggregation>,
    /// Byte of the text it first stands at.
    pub at: usize,
}

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

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A number.
    Number(f64),
    /// Place among the operands.
    Operand(usize),
    /// Length of the window in hours.
    Hours,
    /// Two parts and what is done with them: one of `+ - * / ^`.
    Binary(char, Box<Node>, Box<Node>),
    /// The negated part.
    Negative(Box<Node>),
    /// A function of parts.
    Call(Function, Vec<Node>),
}

/// What can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// First that is not missing.
    Coalesce,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Absolute value.
    Abs,
    /// Square root.
    Sqrt,
    /// Natural logarithm.
    Ln,
    /// Exponential.
    Exp,
}

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionProblem {
    /// Byte of the text.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Unknown functions and aggregations, all of them; and the first place the text breaks off or cannot go on.
    ///
    /// # Examples
    /// ```
    /// use cohort_flow::schema::{Expression, Known};
    /// let bmi = Expression::parse("weight:first / (height:last / 100) ^ 2")?;
    /// assert!(bmi.is_single());
    /// let value = bmi.evaluate(&|i| Known::Value([80.0, 200.0][i]), 24.0).value();
    /// assert!((value.unwrap_or(0.0) - 20.0).abs() < 1e-12);
    /// assert_eq!(bmi.evaluate(&|i| [Known::Value(80.0), Known::Absent][i], 24.0), Known::Absent);
    /// # Ok::<(), Vec<cohort_flow::schema::ExpressionProblem>>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Vec<ExpressionProblem>> {
        if text.len() > LENGTH {
            let message = format!("the expression is longer than {LENGTH} bytes");
            return Err(vec![ExpressionProblem { at: 0, message, hint: None }]);
        }
        let mut parser = Parser { text, at: 0, depth: 0, operands: Vec::new(), problems: Vec::new() };
        let root = parser.sum();
        parser.space();
        if root.is_some() && parser.at < text.len() {
            let rest = text[parser.at..].chars().next().unwrap_or(' ');
            parser.problem(format!("`{rest}` cannot stand here"), Some("allowed are + - * / ^ ( ) ,".into()));
        }
        match root {
            Some(root) if parser.problems.is_empty() => Ok(Self { root, operands: parser.operands }),
            _ => Err(parser.problems),
        }
    }

    /// Whether it is one number per window: every operand has an aggregation. (Facts of the record count as well, but
    /// only the schema knows which names are facts.)
    pub fn is_single(&self) -> bool {
        self.operands.iter().all(|o| o.aggregation.is_some())
    }

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

#[cfg(test)]
mod tests;
