//! The names of the scores a user can rank by instead of the default.

use std::fmt;
use std::str::FromStr;

use crate::schema::words;

words! {
    /// Name of a score.
    #[derive(Default, PartialOrd, Ord)]
    pub enum ScoreKind {
        /// The default: most measures a little, or one of them much.
        #[default]
        Combined = "combined",
        /// Minus the log-likelihood in original units.
        LogLikelihood = "log-likelihood",
        /// Minus the log-likelihood as the model sees the record, whatever the units.
        Vector = "vector",
        /// Tails of the single values.
        Marginal = "marginal",
        /// Dependence between the values.
        Dependence = "dependence",
        /// Distance from the training records near it.
        Distance = "distance",
        /// How the standardised numbers lie under a smoothed mixture.
        Mixture = "mixture",
        /// The most extreme single value.
        Extreme = "extreme",
        /// Of pictures: minus the log-likelihood, less the complexity of the picture.
        Corrected = "corrected",
        /// Of pictures: how far the likelihood lies from that of most, on either side.
        Typicality = "typicality",
    }
}

impl ScoreKind {
    /// Those that only models of pictures have.
    pub const OF_PICTURES: [Self; 2] = [Self::Corrected, Self::Typicality];

    /// What it goes by, in words that go on from "unusual by".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Combined => "everything together",
            Self::LogLikelihood => "the likelihood of the whole record",
            Self::Vector => "the values together, under the model",
            Self::Marginal => "the values one by one",
            Self::Dependence => "how the values go together",
            Self::Distance => "the distance from all training records",
            Self::Mixture => "how its standardised numbers lie to each other",
            Self::Extreme => "its most extreme value",
            Self::Typicality => "a likelihood unlike that of most pictures",
            Self::Corrected => "the likelihood of the whole picture, given how complex it is",
        }
    }
}

impl fmt::Display for ScoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ScoreKind {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.name() == s).ok_or_else(|| {
            format!("unknown score `{s}`, expected one of {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused_with_the_choice() {
        assert_eq!(ScoreKind::ALL.map(|k| k.name().parse()), ScoreKind::ALL.map(Ok));
        assert!("nearest".parse::<ScoreKind>().unwrap_err().contains("combined, log-likelihood, vector"));
    }
}
