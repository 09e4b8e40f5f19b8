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

use super::{Aggregation, suggest};

/// Functions with the least number of arguments.
const FUNCTIONS: [(&str, Function, usize); 7] = [
    ("coalesce", Function::Coalesce, 2),
    ("min", Function::Min, 2),
    ("max", Function::Max, 2),
    ("abs", Function::Abs, 1),
    ("sqrt", Function::Sqrt, 1),
    ("ln", Function::Ln, 1),
    ("exp", Function::Exp, 1),
];

/// Deeper nesting than any formula of medicine needs, and shallow enough for every stack.
const DEPTH: usize = 64;

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
    /// use cohort_flow::schema::Expression;
    /// let bmi = Expression::parse("weight:first / (height:last / 100) ^ 2")?;
    /// assert!(bmi.is_single());
    /// let value = bmi.evaluate(&|i| Some([80.0, 200.0][i]), 24.0).unwrap();
    /// assert!((value - 20.0).abs() < 1e-12);
    /// assert_eq!(bmi.evaluate(&|i| [Some(80.0), None][i], 24.0), None);
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

    /// The value for values of the operands by place; `None` is missing.
    pub fn evaluate(&self, operand: &dyn Fn(usize) -> Option<f64>, hours: f64) -> Option<f64> {
        evaluate(&self.root, operand, hours).filter(|x| x.is_finite())
    }
}

fn evaluate(node: &Node, operand: &dyn Fn(usize) -> Option<f64>, hours: f64) -> Option<f64> {
    let value = |node: &Node| evaluate(node, operand, hours);
    Some(match node {
        Node::Number(x) => *x,
        Node::Operand(place) => operand(*place)?,
        Node::Hours => hours,
        Node::Negative(part) => -value(part)?,
        Node::Binary(symbol, left, right) => {
            let (a, b) = (value(left)?, value(right)?);
            match symbol {
                '+' => a + b,
                '-' => a - b,
                '*' => a * b,
                '/' => a / b,
                _ => a.powf(b),
            }
        }
        Node::Call(Function::Coalesce, parts) => parts.iter().find_map(value)?,
        Node::Call(function, parts) => {
            let values = parts.iter().map(value).collect::<Option<Vec<f64>>>()?;
            match function {
                Function::Min => values.into_iter().fold(f64::INFINITY, f64::min),
                Function::Max => values.into_iter().fold(f64::NEG_INFINITY, f64::max),
                Function::Abs => values[0].abs(),
                Function::Sqrt => values[0].sqrt(),
                Function::Ln => values[0].ln(),
                Function::Exp => values[0].exp(),
                Function::Coalesce => unreachable!("invariant: handled above"),
            }
        }
    })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    operands: Vec<Operand>,
    problems: Vec<ExpressionProblem>,
}

impl<'t> Parser<'t> {
    fn problem(&mut self, message: String, hint: Option<String>) {
        self.problems.push(ExpressionProblem { at: self.at, message, hint });
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&mut self) -> Option<char> {
        self.space();
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, symbols: &[char]) -> Option<char> {
        let found = self.peek().filter(|c| symbols.contains(c))?;
        self.at += found.len_utf8();
        Some(found)
    }

    fn sum(&mut self) -> Option<Node> {
        let mut left = self.product()?;
        while let Some(symbol) = self.eat(&['+', '-']) {
            left = Node::Binary(symbol, Box::new(left), Box::new(self.product()?));
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Node> {
        let mut left = self.power()?;
        while let Some(symbol) = self.eat(&['*', '/']) {
            left = Node::Binary(symbol, Box::new(left), Box::new(self.power()?));
        }
        Some(left)
    }

    fn power(&mut self) -> Option<Node> {
        if self.eat(&['-']).is_some() {
            return Some(Node::Negative(Box::new(self.power_of_atom()?)));
        }
        self.power_of_atom()
    }

    fn power_of_atom(&mut self) -> Option<Node> {
        let base = self.atom()?;
        if self.eat(&['^']).is_none() {
            return Some(base);
        }
        let negative = self.eat(&['-']).is_some();
        let exponent = self.atom()?;
        let exponent = if negative { Node::Negative(Box::new(exponent)) } else { exponent };
        Some(Node::Binary('^', Box::new(base), Box::new(exponent)))
    }

    fn atom(&mut self) -> Option<Node> {
        match self.peek() {
            Some('(') => {
                self.eat(&['(']);
                let inner = self.nested()?;
                self.close()?;
                Some(inner)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.name(),
            Some(c) => {
                self.problem(format!("`{c}` where a variable, a number or `(` has to be"), None);
                None
            }
            None => {
                self.problem(
                    "the expression breaks off".into(),
                    Some("a variable, a number or `(` is missing".into()),
                );
                None
            }
        }
    }

    fn nested(&mut self) -> Option<Node> {
        if self.depth == DEPTH {
            self.problem(format!("more than {DEPTH} parentheses within each other"), None);
            return None;
        }
        self.depth += 1;
        let node = self.sum();
        self.depth -= 1;
        node
    }

    fn close(&mut self) -> Option<()> {
        if self.eat(&[')']).is_none() {
            self.problem("`)` is missing".into(), None);
            return None;
        }
        Some(())
    }

    fn number(&mut self) -> Option<Node> {
        let rest = &self.text[self.at..];
        let mut end = 0;
        for (i, c) in rest.char_indices() {
            let exponent_sign = matches!(c, '+' | '-') && rest[..i].ends_with(['e', 'E']);
            if !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || exponent_sign) {
                break;
            }
            end = i + 1;
        }
        match rest[..end].parse::<f64>() {
            Ok(x) if x.is_finite() => {
                self.at += end;
                Some(Node::Number(x))
            }
            _ => {
                self.problem(format!("`{}` is not a number", &rest[..end]), None);
                None
            }
        }
    }

    fn word(&mut self, also: char) -> &'t str {
        let rest = &self.text[self.at..];
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == also)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn name(&mut self) -> Option<Node> {
        let start = self.at;
        let name = self.word('_');
        if self.peek() == Some('(') {
            return self.call(name, start);
        }
        if name == "hours" {
            return Some(Node::Hours);
        }
        let mut aggregation = None;
        if self.eat(&[':']).is_some() {
            self.space();
            let at = self.at;
            // `time-since-last` holds hyphens, and so may a difference without spaces: a known name goes first.
            let rest = &self.text[at..];
            let whole = |name: &str| {
                let next = rest.strip_prefix(name).map(|after| after.chars().next());
                next.is_some_and(|c| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_'))
            };
            aggregation = Aggregation::ALL.into_iter().find(|a| whole(a.name()));
            let given: &str = match aggregation {
                Some(found) => found.name(),
                None => self.word('-'),
            };
            self.at = at + given.len();
            if aggregation.is_none() {
                let names: Vec<_> = Aggregation::ALL.into_iter().map(Aggregation::name).collect();
                let hint = suggest::hint(given, names);
                self.problems.push(ExpressionProblem {
                    at,
                    message: format!("unknown aggregation `{given}`"),
                    hint,
                });
            }
        }
        let same = |o: &Operand| o.variable == name && o.aggregation == aggregation;
        let place = self.operands.iter().position(same).unwrap_or_else(|| {
            self.operands.push(Operand { variable: name.to_owned(), aggregation, at: start });
            self.operands.len() - 1
        });
        Some(Node::Operand(place))
    }

    fn call(&mut self, name: &str, start: usize) -> Option<Node> {
        let known = FUNCTIONS.iter().find(|(n, ..)| *n == name);
        if known.is_none() {
            let hint = suggest::hint(name, FUNCTIONS.iter().map(|(n, ..)| *n));
            self.problems.push(ExpressionProblem {
                at: start,
                message: format!("unknown function `{name}`"),
                hint,
            });
        }
        self.eat(&['(']);
        let mut parts = vec![self.nested()?];
        while self.eat(&[',']).is_some() {
            parts.push(self.nested()?);
        }
        self.close()?;
        let (_, function, least) = *known?;
        if parts.len() < least || (least == 1 && parts.len() > 1) {
            let wanted = if least == 1 { "1 argument".into() } else { format!("{least} arguments or more") };
            let message = format!("`{name}` takes {wanted}, found {}", parts.len());
            self.problems.push(ExpressionProblem { at: start, message, hint: None });
        }
        Some(Node::Call(function, parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, operands: &[Option<f64>]) -> Option<f64> {
        Expression::parse(text).unwrap().evaluate(&|i| operands[i], 24.0)
    }

    #[test]
    fn precedence_and_association_are_those_of_arithmetic() {
        for (text, expected) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("8 - 4 - 2", 2.0),
            ("8 / 4 / 2", 1.0),
            ("-2 ^ 2", -4.0),
            ("2 ^ -1", 0.5),
            ("2 * -3", -6.0),
            ("1e3 + 1.5e-1", 1000.15),
            ("min(3, 1, 2) + max(1, 5) + abs(-2)", 8.0),
            ("sqrt(16) + exp(0) + ln(1)", 5.0),
            ("hours / 2", 12.0),
        ] {
            assert_eq!(value(text, &[]), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_missing_makes_the_result_missing_but_in_coalesce() {
        assert_eq!(value("a + b", &[Some(1.0), None]), None);
        assert_eq!(value("coalesce(map, (sbp + 2 * dbp) / 3)", &[None, Some(120.0), Some(60.0)]), Some(80.0));
        assert_eq!(value("coalesce(map, sbp)", &[Some(70.0), None]), Some(70.0));
        assert_eq!(value("a / b", &[Some(1.0), Some(0.0)]), None, "not finite");
        assert_eq!(value("ln(a)", &[Some(-1.0)]), None);
    }

    #[test]
    fn operands_are_named_once_with_their_aggregation() {
        let parsed = Expression::parse("urine:sum / weight:first / hours + weight:first-2").unwrap();
        let names: Vec<_> = parsed.operands.iter().map(|o| (o.variable.as_str(), o.aggregation)).collect();
        assert_eq!(names, [("urine", Some(Aggregation::Sum)), ("weight", Some(Aggregation::First))]);
        assert!(parsed.is_single());
        assert!(!Expression::parse("heart_rate / sbp").unwrap().is_single());
        let since = Expression::parse("lactate:time-since-last - 1").unwrap();
        assert_eq!(since.operands[0].aggregation, Some(Aggregation::TimeSinceLast));
    }

    #[test]
    fn problems_are_told_with_their_place() {
        for (text, at, message) in [
            ("", 0, "the expression breaks off"),
            ("a +", 3, "the expression breaks off"),
            ("a + * b", 4, "`*` where a variable, a number or `(` has to be"),
            ("(a", 2, "`)` is missing"),
            ("a b", 2, "`b` cannot stand here"),
            ("a:maen", 2, "unknown aggregation `maen`"),
            ("squrt(a)", 0, "unknown function `squrt`"),
            ("min(a)", 0, "`min` takes 2 arguments or more, found 1"),
            ("1.2.3", 0, "`1.2.3` is not a number"),
            ("é", 0, "`é` where a variable, a number or `(` has to be"),
        ] {
            let problems = Expression::parse(text).unwrap_err();
            assert_eq!((problems[0].at, problems[0].message.as_str()), (at, message), "{text}");
        }
        let all = Expression::parse("squrt(a:maen)").unwrap_err();
        assert_eq!(all.len(), 2, "{all:?}");
        let deep = format!("{}1{}", "(".repeat(900), ")".repeat(900));
        assert!(Expression::parse(&deep).is_err());
        assert!(Expression::parse(&"1+".repeat(10_000)).is_err());
    }
}
