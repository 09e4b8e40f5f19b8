//! What can be wrong with a schema or a pipeline. All problems of a file are reported together, each with the
//! bytes it concerns, so that the command line can show them in place.

use std::fmt;
use std::ops::Range;

use crate::error::{Hint, IoError};

/// One thing wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the source text it concerns.
    pub span: Range<usize>,
    /// Line the span begins on, from 1.
    pub line: usize,
    /// What is wrong and what is allowed.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// One `--set key=value` that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingProblem {
    /// Key as given.
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The two kinds of description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Description {
    /// What the source data are.
    Schema,
    /// What is done with them.
    Pipeline,
    /// Either, where both are asked for.
    Any,
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Schema => "schema",
            Self::Pipeline => "pipeline",
            Self::Any => "schema or pipeline",
        })
    }
}

/// A schema or pipeline that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// Neither a compiled-in name nor a file.
    #[error("there is no {what} `{name}`, neither built in nor as a file")]
    Unknown {
        /// What was asked for.
        what: Description,
        /// Name as given.
        name: String,
        /// Names that would have worked.
        known: Vec<&'static str>,
        /// The one most like it.
        similar: Option<&'static str>,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The file can be read, but not used. Displays as one `file:line: message` per problem.
    #[error("{}", in_lines(file, problems))]
    Invalid {
        /// Path, or name of a compiled-in file.
        file: String,
        /// Its content, for snippets.
        text: String,
        /// All that is wrong with it, in the order of the file; never empty.
        problems: Vec<Problem>,
    },
    /// Overrides that cannot be applied; none of them was.
    #[error("{}", of_settings(problems))]
    Settings {
        /// All that is wrong; never empty.
        problems: Vec<SettingProblem>,
    },
}

fn of_settings(problems: &[SettingProblem]) -> String {
    problems.iter().map(|p| format!("`--set {}`: {}", p.key, p.message)).collect::<Vec<_>>().join("\n")
}

fn in_lines(file: &str, problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("{file}:{}: {}", p.line, p.message)).collect::<Vec<_>>().join("\n")
}

impl Hint for SchemaError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { what, known, similar, .. } => {
                let suggestion = similar.map(|s| format!("did you mean `{s}`? ")).unwrap_or_default();
                Some(format!(
                    "{suggestion}built in are {}; a path to a {what} file works too",
                    known.join(", ")
                ))
            }
            Self::Io(error) => error.hint(),
            Self::Invalid { problems, .. } => {
                joined(problems.iter().map(|p| (format!("line {}", p.line), p.hint.as_deref())))
            }
            Self::Settings { problems } => {
                joined(problems.iter().map(|p| (p.key.clone(), p.hint.as_deref())))
            }
        }
    }
}

/// The hints, one per line and with their place where there are several.
fn joined<'a>(hints: impl Iterator<Item = (String, Option<&'a str>)>) -> Option<String> {
    let hints: Vec<(String, &str)> = hints.filter_map(|(place, hint)| Some((place, hint?))).collect();
    match hints.as_slice() {
        [] => None,
        [(_, hint)] => Some((*hint).to_owned()),
        several => Some(
            several.iter().map(|(place, hint)| format!("{place}: {hint}")).collect::<Vec<_>>().join("\n"),
        ),
    }
}
