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
    /// What is made of its measurements of the hours before; none: the latest is taken.
    pub past: Option<Past>,
    /// Byte of the text it first stands at.
    pub at: usize,
}

/// What is made of the measurements of some hours up to a moment, which counts too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    /// What is made of them.
    pub fold: Fold,
    /// How many hours.
    pub hours: f64,
}

/// What becomes of several measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// The smallest.
    Lowest,
    /// The largest.
    Highest,
    /// The sum.
    Total,
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
    /// Hours from the start of the record to the moment.
    Elapsed,
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
    /// A table: the value of the step that a number lies on, where a step begins at its bound.
    Steps,
    /// The same, where a step begins above its bound.
    StepsAbove,
    /// A value where a condition holds, which is any number but 0; absent where it does not.
    Where,
    /// A part of a score, whose absence is normal or makes the score absent: the pipeline says which.
    Part,
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

    /// The expression for a pipeline in which a part of a score that is absent counts as normal, or not.
    #[must_use]
    pub fn with_parts(self, absent_is_normal: bool) -> Self {
        Self { root: self.root.with_parts(absent_is_normal), ..self }
    }

    /// Whether it may have a value where only some operands exist. An alternative of `coalesce` may lack, as
    /// long as one that is measured is left.
    pub fn is_possible(&self, exists: &dyn Fn(usize) -> bool) -> bool {
        self.root.is_possible(exists)
    }

    /// The operands without which it has no value, of those that do not exist: each once.
    pub fn wanting(&self, exists: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let mut all = Vec::new();
        self.root.wanting(exists, &mut all);
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Node {
    fn with_parts(self, absent_is_normal: bool) -> Self {
        let inner = |node: Box<Self>| Box::new(node.with_parts(absent_is_normal));
        match self {
            Self::Binary(symbol, left, right) => Self::Binary(symbol, inner(left), inner(right)),
            Self::Negative(node) => Self::Negative(inner(node)),
            Self::Call(function, parts) => {
                let mut parts: Vec<Self> =
                    parts.into_iter().map(|part| part.with_parts(absent_is_normal)).collect();
                match function {
                    Function::Part if absent_is_normal => {
                        parts.push(Self::Number(0.0));
                        Self::Call(Function::Coalesce, parts)
                    }
                    Function::Part => parts.swap_remove(0),
                    _ => Self::Call(function, parts),
                }
            }
            other => other,
        }
    }

    fn is_possible(&self, exists: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Self::Number(_) | Self::Hours | Self::Elapsed => true,
            Self::Operand(place) => exists(*place),
            Self::Negative(inner) => inner.is_possible(exists),
            Self::Binary(_, left, right) => left.is_possible(exists) && right.is_possible(exists),
            Self::Call(Function::Coalesce, parts) => {
                parts.iter().any(|part| !part.is_constant() && part.is_possible(exists))
            }
            Self::Call(_, parts) => parts.iter().all(|part| part.is_possible(exists)),
        }
    }

    fn wanting(&self, exists: &dyn Fn(usize) -> bool, all: &mut Vec<usize>) {
        if self.is_possible(exists) {
            return;
        }
        match self {
            Self::Number(_) | Self::Hours | Self::Elapsed => {}
            Self::Operand(place) => all.push(*place),
            Self::Negative(inner) => inner.wanting(exists, all),
            Self::Binary(_, left, right) => {
                left.wanting(exists, all);
                right.wanting(exists, all);
            }
            Self::Call(_, parts) => parts.iter().for_each(|part| part.wanting(exists, all)),
        }
    }

    /// The number that this is, if it is one.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(x) => Some(*x),
            Self::Negative(inner) => inner.number().map(|x| -x),
            _ => None,
        }
    }

    /// Whether no measurement and no fact is part of it.
    pub(super) fn is_constant(&self) -> bool {
        match self {
            Self::Number(_) | Self::Hours | Self::Elapsed => true,
            Self::Operand(_) => false,
            Self::Negative(inner) => inner.is_constant(),
            Self::Binary(_, left, right) => left.is_constant() && right.is_constant(),
            Self::Call(_, parts) => parts.iter().all(Self::is_constant),
        }
    }
}
