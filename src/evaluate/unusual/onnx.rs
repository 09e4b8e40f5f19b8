//! Scores as a graph of ONNX.

use super::{Measure, Score};
use crate::evaluate::parts;
use crate::evaluate::tail::Tail;
use crate::features::{Encoder, RawRecords};
use crate::onnx::{Graph, Inexpressible, Value};

/// Records whose log-likelihood bounds are known.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The encoder.
    pub encoder: &'a Encoder,
    /// Their numbers.
    pub records: &'a RawRecords,
    /// The bound in original units, `(n, 1)`.
    pub log_prob: &'a Value,
    /// The bound in tensor space, `(n, 1)`.
    pub log_prob_tensor: &'a Value,
}

impl Score {
    /// [`Score::of`] of each record, `(n, 1)`.
    ///
    /// # Errors
    /// [`Inexpressible`] of a measure that has no such graph.
    pub fn write(&self, graph: &mut Graph, at: Judged<'_>) -> Result<Value, Inexpressible> {
        let Some(evidence) = &self.evidence else { return self.parts[0].measure.write(graph, at) };
        let (mut kinds, mut values, mut tails) = (Vec::new(), Vec::new(), Vec::new());
        for part in &self.parts {
            let Some(tail) = &part.tail else { continue };
            kinds.push(part.measure.kind());
            values.push(part.measure.write(graph, at)?);
            tails.push(tail);
        }
        let values = graph.concat(&values, 1);
        let nats = Tail::nats_in(graph, &values, &tails);
        let mut score = evidence.write(graph, &nats, &kinds);
        if let Some(unmet) = parts::unmet_in(graph, at.encoder, at.records) {
            score = graph.add(&score, &unmet);
        }
        Ok(parts::limited(graph, &score))
    }
}

impl Measure {
    fn write(&self, graph: &mut Graph, at: Judged<'_>) -> Result<Value, Inexpressible> {
        let Judged { encoder, records, log_prob, log_prob_tensor } = at;
        Ok(match self {
            Self::LogLikelihood => graph.minus(log_prob),
            Self::Vector => parts::vector_in(graph, encoder, records, log_prob_tensor),
            Self::Marginal => parts::marginal_in(graph, encoder, records),
            Self::Extreme => parts::extreme_in(graph, encoder, records),
            Self::Distance(landmarks) => landmarks.distance_in(graph, encoder, records),
            Self::Mixture(mixture) => mixture.surprise_in(graph, encoder, records),
            Self::Dependence | Self::Corrected(_) | Self::Typicality(_) => {
                return Err(Inexpressible(format!("the score {}", self.kind())));
            }
        })
    }
}
