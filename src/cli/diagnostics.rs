//! Turns errors into text for the user: the message, its causes, a hint, and for schema files the lines at
//! fault.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report, Severity,
};

use crate::error::Hint;
use crate::pipeline::Error;
use crate::schema::{Problem, SchemaError};

/// Renders an error as text for stderr.
pub(super) fn render(error: &Error) -> String {
    if let Error::Schema(SchemaError::Invalid { file, text, problems }) = error {
        return render_problems(file, text, problems);
    }
    let mut out = format!("error: {error}\n");
    let mut said = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let text = cause.to_string();
        // A transparent wrapper repeats the text of its cause, and some messages already contain it.
        if !said.contains(&text) {
            let _ = writeln!(out, "  caused by: {text}");
            said = text;
        }
        source = cause.source();
    }
    for line in error.hint().iter().flat_map(|h| h.lines()) {
        let _ = writeln!(out, "hint: {line}");
    }
    out
}

/// Renders all problems of a schema or pipeline file, each with its line.
pub(super) fn render_problems(file: &str, text: &str, problems: &[Problem]) -> String {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
    let mut out = String::new();
    for problem in problems {
        let mut diagnostic = MietteDiagnostic::new(problem.message.clone())
            .with_severity(Severity::Error)
            .with_label(LabeledSpan::underline(problem.span.clone()));
        if let Some(hint) = &problem.hint {
            diagnostic = diagnostic.with_help(hint.clone());
        }
        let report = Report::new(diagnostic).with_source_code(NamedSource::new(file, text.to_owned()));
        if handler.render_report(&mut out, report.as_ref()).is_err() {
            let _ = writeln!(out, "{file}:{}: {}", problem.line, problem.message);
        }
    }
    let n = problems.len();
    let _ = writeln!(out, "error: {n} problem{} in {file}", if n == 1 { "" } else { "s" });
    out
}

/// Prints an error to stderr. A failure to write is ignored, because nobody is left to read the message.
pub(super) fn print(error: &Error) {
    let _ = std::io::stderr().lock().write_all(render(error).as_bytes());
}
