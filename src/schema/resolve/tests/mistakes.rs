//! Each mistake in a file is one problem, in its line.

use super::*;

/// One edit of a valid text, and the one problem that it makes, if it is a mistake.
#[derive(Debug, Default)]
pub(super) struct Edit {
    pub(super) from: String,
    pub(super) to: String,
    line: usize,
    pub(super) message: String,
    /// A part of the hint; empty where there is none.
    hint: String,
    /// Whether the mistake shows only when parts of the file are held against each other.
    pub(super) of_resolver: bool,
}

impl Edit {
    /// The edits in a list: lines taken out after `-`, lines put in after `+`, `LINE: MESSAGE`, perhaps
    /// `hint: PART` and `resolver: REASON`, with an empty line between two edits.
    pub(super) fn all(text: &str) -> Vec<Self> {
        text.trim_end().split("\n\n").map(Self::parse).collect()
    }

    fn parse(block: &str) -> Self {
        let lines =
            |sign: char| block.lines().filter_map(|l| l.strip_prefix(sign)).collect::<Vec<_>>().join("\n");
        let mut edit = Self { from: lines('-'), to: lines('+'), ..Self::default() };
        for line in block.lines().filter(|l| !l.starts_with(['-', '+', '#'])) {
            match line.split_once(": ").unwrap() {
                ("hint", hint) => edit.hint = hint.to_owned(),
                ("resolver", _) => edit.of_resolver = true,
                (line, message) => (edit.line, edit.message) = (line.parse().unwrap(), message.to_owned()),
            }
        }
        edit
    }

    /// The text with the mistake.
    pub(super) fn made_in(&self, text: &str) -> String {
        assert_eq!(text.matches(&self.from).count(), 1, "`{}` stands once in the text", self.from);
        text.replacen(&self.from, &self.to, 1)
    }

    fn is(&self, problem: &Problem) -> bool {
        let hint = problem.hint.as_deref().unwrap_or_default();
        (problem.line, problem.message.as_str()) == (self.line, self.message.as_str())
            && hint.is_empty() == self.hint.is_empty()
            && hint.contains(&self.hint)
    }
}

fn check<T: std::fmt::Debug>(base: &str, mistakes: &str, read: impl Fn(&str) -> Result<T, SchemaError>) {
    let mut wrong = Vec::new();
    for mistake in Edit::all(mistakes) {
        let found = problems(read(&mistake.made_in(base)));
        if !matches!(found.as_slice(), [one] if mistake.is(one)) {
            wrong.push(format!("{mistake:#?} made {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_mistake_in_a_schema_is_one_problem_in_its_line() {
    check(WARD, include_str!("ward.txt"), |text| parse_schema("ward.toml", text));
    check(OFFSETS, include_str!("offsets.txt"), |text| parse_schema("offsets.toml", text));
    check(CODES, include_str!("codes.txt"), |text| parse_schema("codes.toml", text));
}

#[test]
fn each_mistake_in_a_pipeline_is_one_problem_in_its_line() {
    check(ROUNDS, include_str!("rounds.txt"), pipeline_of);
    check(TABLE, include_str!("table.txt"), pipeline_of);
}
