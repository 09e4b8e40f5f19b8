//! What can be asked of a model that is being served.

use serde::Deserialize;
use serde_json::Value;

use crate::evaluate::ScoreKind;
use crate::outlier::Rule;
use crate::pipeline::Error;

/// A request with the name that its answer repeats.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    /// Chosen by the one who asks; null where there is none.
    pub(super) id: Value,
    pub(super) task: Task,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Task {
    /// Say again what the model is.
    Describe {},
    /// Log-likelihoods of the records that follow.
    Score { draws: Option<usize>, seed: Option<u64> },
    /// P-values, verdicts and explanations of the records that follow.
    Flag {
        alpha: Option<f64>,
        fdr: Option<f64>,
        score: Option<String>,
        explain: Option<usize>,
        also_explain: Option<usize>,
        top: Option<usize>,
        seed: Option<u64>,
    },
    /// Synthetic records.
    Sample { n: usize, seed: Option<u64> },
    /// Completions of the records that follow, whose empty cells are drawn given the others.
    Complete { n: usize, importance_samples: Option<usize>, seed: Option<u64> },
}

impl Task {
    /// Whether data follow the request.
    pub(super) fn has_data(&self) -> bool {
        matches!(self, Self::Score { .. } | Self::Flag { .. } | Self::Complete { .. })
    }

    /// The rule of a request to flag.
    ///
    /// # Errors
    /// Two rules at once; a level outside (0, 1).
    pub(super) fn rule(alpha: Option<f64>, fdr: Option<f64>) -> Result<Rule, Error> {
        let (rule, level) = match (alpha, fdr) {
            (Some(_), Some(_)) => return Err(wrong("`alpha` and `fdr` exclude each other")),
            (None, Some(fdr)) => (Rule::Fdr(fdr), fdr),
            (alpha, None) => {
                let alpha = alpha.unwrap_or(crate::outlier::DEFAULT_ALPHA);
                (Rule::Alpha(alpha), alpha)
            }
        };
        if !(level > 0.0 && level < 1.0) {
            return Err(wrong("`alpha` and `fdr` lie between 0 and 1"));
        }
        Ok(rule)
    }

    /// The score that ranks records.
    ///
    /// # Errors
    /// An unknown name.
    pub(super) fn kind(name: Option<&str>) -> Result<ScoreKind, Error> {
        let known = || ScoreKind::ALL.map(ScoreKind::name).join(", ");
        name.map_or(Ok(ScoreKind::Combined), |name| {
            name.parse().map_err(|_| wrong(&format!("there is no score `{name}`; there are {}", known())))
        })
    }
}

fn wrong(message: &str) -> Error {
    Error::Protocol { message: message.to_owned() }
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// A line that is no JSON object, has no `do`, or asks for something unknown.
    pub(super) fn read(line: &str) -> Result<Self, Error> {
        let unreadable = |e: serde_json::Error| wrong(&format!("a request cannot be read: {e}"));
        let mut value: Value = serde_json::from_str(line).map_err(unreadable)?;
        let id = value.as_object_mut().and_then(|object| object.remove("id")).unwrap_or(Value::Null);
        Ok(Self { id, task: serde_json::from_value(value).map_err(unreadable)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_unknown_keys_refused() {
        let request = Request::read(r#"{"id": 7, "do": "sample", "n": 3}"#).unwrap();
        assert_eq!(request, Request { id: 7.into(), task: Task::Sample { n: 3, seed: None } });
        assert!(!request.task.has_data());
        let request = Request::read(r#"{"do": "score"}"#).unwrap();
        assert!(request.id.is_null() && request.task.has_data());
        for line in
            ["", "[]", "{}", r#"{"do": "dance"}"#, r#"{"do": "score", "sede": 1}"#, r#"{"do": "sample"}"#]
        {
            let error = Request::read(line).unwrap_err().account();
            assert_eq!(error.kind, "protocol", "{line}");
        }
    }

    #[test]
    fn levels_and_scores_are_checked() {
        assert_eq!(Task::rule(None, Some(0.1)).unwrap(), Rule::Fdr(0.1));
        assert_eq!(Task::rule(None, None).unwrap(), Rule::Alpha(0.01));
        assert!(Task::rule(Some(0.1), Some(0.1)).is_err() && Task::rule(Some(1.0), None).is_err());
        assert!(Task::rule(Some(f64::NAN), None).is_err());
        assert!(
            Task::kind(None).is_ok() && Task::kind(Some("vector")).is_ok() && Task::kind(Some("x")).is_err()
        );
    }
}
