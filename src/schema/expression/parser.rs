//! Text of an expression → its parts, with every problem at its place.

use crate::schema::{Aggregation, suggest};

use super::{Expression, ExpressionProblem, Fold, Function, Node, Operand, Past};

/// Longer than any formula of medicine, and short enough that a tree as deep as the text is long fits every
/// stack.
const LENGTH: usize = 2000;

/// Functions with the least number of arguments.
const FUNCTIONS: [(&str, Function, usize); 11] = [
    ("coalesce", Function::Coalesce, 2),
    ("min", Function::Min, 2),
    ("max", Function::Max, 2),
    ("abs", Function::Abs, 1),
    ("sqrt", Function::Sqrt, 1),
    ("ln", Function::Ln, 1),
    ("exp", Function::Exp, 1),
    ("part", Function::Part, 1),
    ("steps", Function::Steps, 4),
    ("steps_above", Function::StepsAbove, 4),
    ("where", Function::Where, 2),
];

/// What is made of the measurements of some hours.
const PASTS: [(&str, Fold); 3] =
    [("lowest", Fold::Lowest), ("highest", Fold::Highest), ("total", Fold::Total)];

/// Deeper nesting than any formula of medicine needs, and shallow enough for every stack.
const DEPTH: usize = 64;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    operands: Vec<Operand>,
    problems: Vec<ExpressionProblem>,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Unknown functions and aggregations, all of them; and the first place the text breaks off or cannot go
    /// on.
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
            return match PASTS.iter().find(|(n, _)| *n == name) {
                Some((_, fold)) => self.past(*fold, start),
                None => self.call(name, start),
            };
        }
        if name == "hours" {
            return Some(Node::Hours);
        }
        if name == "elapsed" {
            return Some(Node::Elapsed);
        }
        let mut aggregation = None;
        if self.eat(&[':']).is_some() {
            self.space();
            let at = self.at;
            // `time-since-last` holds hyphens, and so may a difference without spaces: a known name goes
            // first.
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
        Some(self.operand(Operand { variable: name.to_owned(), aggregation, past: None, at: start }))
    }

    /// The place of an operand, which counts once however often it is named.
    fn operand(&mut self, operand: Operand) -> Node {
        let same = |o: &Operand| {
            (&o.variable, o.aggregation, o.past) == (&operand.variable, operand.aggregation, operand.past)
        };
        let place = self.operands.iter().position(same).unwrap_or_else(|| {
            self.operands.push(operand);
            self.operands.len() - 1
        });
        Node::Operand(place)
    }

    /// `lowest(creatinine, 48)`: a variable and hours.
    fn past(&mut self, fold: Fold, start: usize) -> Option<Node> {
        self.eat(&['(']);
        self.space();
        let at = self.at;
        let variable = self.word('_').to_owned();
        let comma = self.eat(&[',']).is_some();
        let hours = if comma { self.nested()? } else { Node::Hours };
        self.close()?;
        let hours = match hours {
            Node::Number(hours) if hours > 0.0 && !variable.is_empty() && comma => hours,
            _ => {
                let message =
                    "what is made of the past takes the name of a variable and hours above 0".into();
                let hint = Some("write `lowest(creatinine, 48)`".into());
                self.problems.push(ExpressionProblem { at: start, message, hint });
                return None;
            }
        };
        Some(self.operand(Operand { variable, aggregation: None, past: Some(Past { fold, hours }), at }))
    }

    fn call(&mut self, name: &str, start: usize) -> Option<Node> {
        let known = FUNCTIONS.iter().find(|(n, ..)| *n == name);
        if known.is_none() {
            let names = FUNCTIONS.iter().map(|(n, ..)| *n).chain(PASTS.iter().map(|(n, _)| *n));
            let hint = suggest::hint(name, names);
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
        if matches!(function, Function::Steps | Function::StepsAbove) {
            self.check_steps(&parts, start);
        }
        Some(Node::Call(function, parts))
    }

    /// A table has a value before its first bound and one behind each, and its bounds ascend.
    fn check_steps(&mut self, parts: &[Node], start: usize) {
        let numbers: Option<Vec<f64>> = parts.iter().skip(1).map(Node::number).collect();
        let message = match numbers {
            None => "the bounds and values of a table are numbers",
            Some(numbers) if numbers.len() % 2 == 0 => {
                "a table has a value before its first bound and one behind each"
            }
            Some(numbers) => {
                let bounds: Vec<f64> = numbers.iter().skip(1).step_by(2).copied().collect();
                if bounds.windows(2).all(|pair| pair[0] < pair[1]) {
                    return;
                }
                "the bounds of a table ascend"
            }
        };
        let hint =
            Some("`steps(platelets, 4, 20, 3, 50, 0)` is 4 below 20, 3 from 20 on and 0 from 50 on".into());
        self.problems.push(ExpressionProblem { at: start, message: message.into(), hint });
    }
}
