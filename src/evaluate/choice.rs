//! The names of the scores a user can rank by instead of the default.

use std::fmt;
use std::str::FromStr;

use super::{Combination, Score};
use crate::schema::words;

words! {
    /// Name of a score.
    #[derive(Default, PartialOrd, Ord)]
    pub enum ScoreKind {
        /// The default: whole vector, standardised distance and most extreme value together.
        #[default]
        Combined = "combined",
        /// Minus the log-likelihood in original units.
        LogLikelihood = "log-likelihood",
        /// Tails of the single values.
        Marginal = "marginal",
        /// Dependence between the values.
        Dependence = "dependence",
        /// Distance of the standardised numbers.
        Distance = "distance",
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

impl Score {
    fn combination(&self) -> Option<&Combination> {
        match self {
            Self::Combined(combination) => Some(combination),
            _ => None,
        }
    }

    /// The score of this name, with the scales of `self`, a model's default; nothing where the model has no
    /// such part.
    pub fn choose(&self, kind: ScoreKind) -> Option<Self> {
        match kind {
            ScoreKind::Combined => self.combination().map(|_| self.clone()),
            ScoreKind::LogLikelihood => Some(Self::LogLikelihood),
            ScoreKind::Marginal => self.combination().map(|c| Self::Marginal(c.marginal)),
            ScoreKind::Dependence => self.combination().map(|c| Self::Dependence(c.dependence)),
            ScoreKind::Distance => self.combination()?.distance.clone().map(Self::Distance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::parts::{dependence, marginal};
    use crate::evaluate::{RecordScores, Scale, score_records};
    use crate::features::Bundle;
    use crate::ingest::{Audit, Cells, Column, RecordTable, Subjects};
    use crate::num::special::normal_log_pdf;
    use crate::schema::{Kind, Split, load_pipeline};
    use ndarray::array;

    /// Two numbers that always are equal, 400 records.
    fn bundle() -> Bundle {
        let n = 400;
        let x: Vec<f64> = (0..n).map(|i| f64::from(i * 7919 % n) + 0.25).collect();
        let column = |name: &str| Column {
            name: name.into(),
            label: name.into(),
            group: String::new(),
            unit: String::new(),
            kind: Kind::Continuous,
            resolution: None,
            range: None,
            spelling: crate::ingest::Spelling::undeclared(),
            cells: Cells::Number(x.clone().into()),
        };
        let ids: Vec<String> = (0..n).map(|i| i.to_string()).collect();
        let table = RecordTable {
            record_ids: ids.into(),
            subjects: Subjects::Records,
            splits: None,
            columns: vec![column("a"), column("b")],
            audit: Audit::default(),
        };
        Bundle::build(&table, None, &load_pipeline("wide-table").unwrap().0).unwrap()
    }

    #[test]
    fn marginal_sees_far_values_and_dependence_broken_pairs() {
        let bundle = bundle();
        let encoder = &bundle.manifest.encoder;
        let (far, broken, usual) = (array![900.0, 900.0], array![40.0, 360.0], array![200.0, 200.0]);
        assert!(marginal(encoder, far.view()) > 10.0);
        assert!(marginal(encoder, broken.view()) < 4.0);
        // A record without values has nothing unusual, and more usual values do not make one more unusual.
        assert_eq!(marginal(encoder, array![f64::NAN, f64::NAN].view()), 0.0);
        assert!(marginal(encoder, usual.view()) < 0.0);
        // log p(v) = log N(v₁; 0, 1) + log N(v₂; v₁, 0.1²), the density of the pair.
        let v = |x: f64| encoder.columns[0].encode(x, 0.5).0;
        let joint = |row: &ndarray::Array1<f64>| {
            normal_log_pdf(v(row[0])) + normal_log_pdf((v(row[1]) - v(row[0])) / 0.1) - 0.1_f64.ln()
        };
        let d = |row: &ndarray::Array1<f64>| dependence(encoder, row.view(), joint(row));
        assert!(d(&broken) > d(&usual) + 50.0, "{} {}", d(&broken), d(&usual));
        // Far out, but as a pair should be: nothing odd about their dependence.
        assert!(d(&far) < d(&usual), "{} {}", d(&far), d(&usual));
    }

    #[test]
    fn every_score_of_a_model_is_on_the_scale_of_its_reference() {
        let bundle = bundle();
        let encoder = &bundle.manifest.encoder;
        let raw = bundle.raw_of(Split::Validation);
        let flow =
            crate::flow::Flow::<f32>::new(&crate::flow::FlowConfig::new(2), crate::random::Seed(1)).unwrap();
        let scores: RecordScores = score_records(&flow, encoder, raw.view(), 1, crate::random::Seed(1));
        let score = Score::combined(encoder, raw.view(), &scores, None);
        for kind in [ScoreKind::Marginal, ScoreKind::Dependence] {
            let mut values = score.choose(kind).unwrap().of_all(encoder, raw.view(), &scores);
            values.sort_by(f64::total_cmp);
            assert!(values[values.len() / 2].abs() < 0.1, "{kind}");
        }
        assert_eq!(score.choose(ScoreKind::Distance), None);
        assert_eq!(Score::LogLikelihood.choose(ScoreKind::Marginal), None);
        assert_eq!(ScoreKind::ALL.map(|k| k.name().parse()), ScoreKind::ALL.map(Ok));
        assert_eq!(Scale::default().apply(3.0), 3.0);
    }
}
