//! Collects what is wrong with a text, each problem with its place, so that one run shows all of them.

use std::cell::RefCell;
use std::ops::Range;

use super::error::Problem;

/// Bytes of the source text.
pub(super) type Span = Range<usize>;

/// What is wrong with one text.
pub(super) struct Problems<'a> {
    text: &'a str,
    found: RefCell<Vec<Problem>>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, found: RefCell::default() }
    }

    pub(super) fn add(&self, span: Span, message: impl Into<String>) {
        self.push(span, message.into(), None);
    }

    pub(super) fn add_with_hint(&self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.push(span, message.into(), Some(hint.into()));
    }

    pub(super) fn push(&self, span: Span, message: String, hint: Option<String>) {
        let line = 1 + self.text[..span.start.min(self.text.len())].matches('\n').count();
        self.found.borrow_mut().push(Problem { span, line, message, hint });
    }

    /// The problems in the order of the file.
    pub(super) fn into_sorted(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|p| p.span.start);
        found
    }
}
