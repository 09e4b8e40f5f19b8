//! The columns of a table as numbers: what the reader of new tables makes of cells, as far as a graph can.
//!
//! Numbers come as numbers. A text is found among the levels as it is written. The reader of tables also
//! takes blanks off its ends, and of levels that are numbers it takes `01` for `1`; a graph cannot, so that
//! it refuses a record with an unknown text of which the reader might have made a known one.

use crate::ingest::Codes;
use crate::onnx::{Graph, Input, Value};
use crate::schema::Kind;

use super::RawRecords;
use crate::features::{Encoder, FittedColumn};

/// A text with blanks at an end, or with the apostrophe by which spreadsheets mark texts.
const LOOSE: &str = r"(?s)(?:['\s\p{Z}\x{0b}\x{85}].*|.*[\s\p{Z}\x{0b}\x{85}])";
/// A text that may be a number.
const NUMBER: &str = r"(?s)[-+]?[.]?[0-9].*";

impl FittedColumn {
    /// Whether its cells are texts.
    pub fn is_text(&self) -> bool {
        self.meta.kind == Kind::Categorical || !self.levels.is_empty()
    }
}

impl Encoder {
    /// The inputs of a graph, one for each column, and the records as numbers.
    pub fn raw_in(&self, graph: &mut Graph) -> RawRecords {
        let inputs: Vec<Value> = self.columns.iter().map(|column| input(graph, column)).collect();
        let (texts, numbers): (Vec<usize>, Vec<usize>) =
            (0..self.n_features()).partition(|&column| self.columns[column].is_text());
        let (mut parts, mut refused) = (Vec::new(), None);
        if !numbers.is_empty() {
            let own: Vec<Value> = numbers.iter().map(|&column| inputs[column].clone()).collect();
            let all = graph.concat(&own, 1);
            parts.push(self.usable(graph, &all, &numbers));
        }
        if !texts.is_empty() {
            let codes: Vec<Value> =
                texts.iter().map(|&column| self.columns[column].code(graph, &inputs[column])).collect();
            let codes = graph.concat(&codes, 1);
            let codes = graph.to_double(&codes);
            let (zero, nan) = (graph.number(0.0), graph.number(f64::NAN));
            let known = graph.at_least(&codes, &zero);
            parts.push(graph.choose(&known, &codes, &nan));
            for &column in &texts {
                let loose = self.columns[column].loose(graph, &inputs[column]);
                refused = Some(match refused {
                    None => loose,
                    Some(so_far) => graph.either(&so_far, &loose),
                });
            }
        }
        let all = graph.concat(&parts, 1);
        // From the order of the parts to that of the encoder.
        let placed: Vec<usize> = numbers.iter().chain(&texts).copied().collect();
        let mut places = vec![0; placed.len()];
        placed.iter().enumerate().for_each(|(place, &column)| places[column] = place);
        let raw = graph.columns(&all, &places, placed.len(), 1);
        let missing = graph.is_nan(&raw);
        let zero = graph.number(0.0);
        let filled = graph.choose(&missing, &zero, &raw);
        let absent = graph.to_double(&missing);
        RawRecords { raw, filled, missing, absent, refused }
    }

    /// Numbers of some columns, with NaN for infinities and for codes that mean "missing".
    fn usable(&self, graph: &mut Graph, x: &Value, columns: &[usize]) -> Value {
        let infinite = graph.is_infinite(x);
        let nan = graph.number(f64::NAN);
        let x = graph.choose(&infinite, &nan, x);
        let codes: Vec<Vec<f64>> =
            columns.iter().map(|&column| self.columns[column].meta.spelling.missing_numbers()).collect();
        let most = codes.iter().map(Vec::len).max().unwrap_or(0);
        let mut out = x;
        for k in 0..most {
            // NaN equals nothing: a column with fewer codes.
            let code: Vec<f64> = codes.iter().map(|own| own.get(k).copied().unwrap_or(f64::NAN)).collect();
            let code = graph.doubles(&code, &[code.len()]);
            let is_code = graph.equal(&out, &code);
            out = graph.choose(&is_code, &nan, &out);
        }
        out
    }
}

fn input(graph: &mut Graph, column: &FittedColumn) -> Value {
    let kind = if column.is_text() { Input::Texts } else { Input::Numbers };
    let unit = &column.meta.unit;
    let description = match kind {
        Input::Texts => "text as in the training table; empty where missing".to_owned(),
        Input::Numbers if unit.is_empty() => "number; NaN where missing".to_owned(),
        Input::Numbers => format!("number in {unit}; NaN where missing"),
    };
    graph.input(&column.meta.name, kind, &description)
}

impl FittedColumn {
    /// Code of the level of each text: −1 where missing, the number of levels for one that is not known.
    fn code(&self, graph: &mut Graph, text: &Value) -> Value {
        let missing = std::iter::once("").chain(self.meta.spelling.missing.iter().map(|code| code.trim()));
        let mut codes: Vec<(String, i64)> = Vec::new();
        let levels = self.levels.iter().enumerate().map(|(k, level)| (level.as_str(), k as i64));
        for (text, code) in missing.map(|text| (text, -1)).chain(levels) {
            if !codes.iter().any(|(known, _)| known == text) {
                codes.push((text.to_owned(), code));
            }
        }
        graph.codes(text, &codes, self.levels.len() as i64)
    }

    /// Whether a text is not known, and may be one that is.
    fn loose(&self, graph: &mut Graph, text: &Value) -> Value {
        let code = self.code(graph, text);
        let unknown = graph.ints(&[self.levels.len() as i64], &[]);
        let unknown = graph.equal(&code, &unknown);
        let spelling = &self.meta.spelling;
        let numbers = spelling.codes == Codes::Number || !spelling.missing_numbers().is_empty();
        let expression = if numbers { format!("(?:{LOOSE}|{NUMBER})") } else { LOOSE.to_owned() };
        let fits = graph.fits(text, &expression);
        graph.both(&unknown, &fits)
    }
}
