//! The parts of an expression.

use crate::schema::Aggregation;

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
    /// Whether it is one number per window: every operand has an aggregation. (Facts of the record count as
    /// well, but only the schema knows which names are facts.)
    pub fn is_single(&self) -> bool {
        self.operands.iter().all(|o| o.aggregation.is_some())
    }
}
