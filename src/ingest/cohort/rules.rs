//! Cohort rules, applied in order, with the number of records before and after each.

use std::collections::HashMap;

use crate::schema::{Feature, Predicate};

use super::fact::Fact;
use super::facts::Facts;
use super::plan::{Operand, Plan};
use super::records::Records;
use crate::ingest::events::finding::Finding;
use crate::ingest::events::measure::Meter;
use crate::ingest::events::value::Value;
use crate::ingest::text::{normal_text, shortest};
use crate::ingest::{CohortStep, IngestError};

/// What rules can ask about records.
pub(in crate::ingest) trait Answers {
    /// What measurements say about a variable of a record.
    fn measured(&self, variable: usize, record: u32, records: &Records) -> Finding;
    /// A measured value as text or number.
    fn answer(&self, variable: usize, value: Value) -> Answer;
    /// Whether a feature of measurements exists, in any window of the record.
    fn has(&self, variable: usize, feature: &Feature, record: u32, records: &Records) -> bool;
}

/// A value as rules compare it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ingest) enum Answer {
    Number(f64),
    Text(String),
}

impl Answer {
    pub(in crate::ingest) fn of(value: Value, levels: &[String]) -> Self {
        match value {
            Value::Number(x) => Self::Number(x),
            Value::Level(code) => Self::Text(levels[code as usize].clone()),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(x) => Some(*x),
            Self::Text(t) => t.trim().parse().ok(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Number(x) => shortest(*x),
            Self::Text(t) => t.clone(),
        }
    }
}

/// How many leading rules can be applied before any event is read. Records of long tables are not known
/// before.
pub(in crate::ingest) fn rules_before_events(plan: &Plan<'_>) -> usize {
    if plan.is_long() {
        return 0;
    }
    let needs_events = |i: usize| {
        let measured = |o: &Operand| matches!(o, Operand::Variable(v) if plan.variables[*v].measured);
        matches!(plan.pipeline.rules[i].predicate, Predicate::MinFeatures { .. })
            || plan.operands[i].iter().any(measured)
    };
    (0..plan.operands.len()).find(|&i| needs_events(i)).unwrap_or(plan.operands.len())
}

/// Applies rules `range` to the records in the cohort.
///
/// # Errors
/// [`IngestError::NoRecords`] when a rule leaves none.
pub(in crate::ingest) fn apply(
    plan: &Plan<'_>,
    range: std::ops::Range<usize>,
    records: &mut Records,
    facts: &Facts,
    answers: &dyn Answers,
    steps: &mut Vec<CohortStep>,
) -> Result<(), IngestError> {
    for i in range {
        let rule = &plan.pipeline.rules[i];
        let before = records.in_cohort.iter().filter(|c| **c).count();
        let mut failed_null = 0;
        let members: Vec<u32> =
            (0..records.len() as u32).filter(|&r| records.in_cohort[r as usize]).collect();
        let mut ask =
            Question { plan, records, facts, answers, members: &members, failed_null: &mut failed_null };
        let keep: Vec<bool> = match (&rule.predicate, plan.operands[i].as_slice()) {
            (Predicate::FirstPerSubject, _) => first_per_subject(records, &members),
            (Predicate::MinFeatures { count }, _) => {
                n_features(plan, records, facts, answers, &members).into_iter().map(|n| n >= *count).collect()
            }
            (Predicate::Between { min, max, .. }, [operand]) => {
                let within = |x: f64| min.is_none_or(|low| x >= low) && max.is_none_or(|high| x <= high);
                ask.test(operand, |a| a.number().map(within))
            }
            (Predicate::OneOf { values, .. }, [operand]) => {
                let patterns = Patterns::new(values);
                match facts.list_of(operand) {
                    Some(list) => members.iter().map(|&r| patterns.any(&list[r as usize])).collect(),
                    None => ask.test(operand, |a| Some(patterns.match_text(&a.text()))),
                }
            }
            (Predicate::NoneOf { values, .. }, [operand]) => {
                let patterns = Patterns::new(values);
                match facts.list_of(operand) {
                    Some(list) => members.iter().map(|&r| !patterns.any(&list[r as usize])).collect(),
                    None => ask.test(operand, |a| Some(!patterns.match_text(&a.text()))),
                }
            }
            (Predicate::SameAs { .. }, [operand, other]) => {
                let (left, right) = (ask.answers_to(operand), ask.answers_to(other));
                let same = |(a, b): (Option<Answer>, Option<Answer>)| {
                    let same = a.zip(b).map(|(a, b)| normal_text(&a.text()) == normal_text(&b.text()));
                    *ask.failed_null += usize::from(same.is_none());
                    same.unwrap_or(false)
                };
                left.into_iter().zip(right).map(same).collect()
            }
            (Predicate::OnlyPer { .. }, [operand]) => {
                let values: Vec<Option<String>> =
                    ask.answers_to(operand).into_iter().map(|a| a.map(|a| a.text())).collect();
                let mut times: HashMap<&str, usize> = HashMap::new();
                values.iter().flatten().for_each(|v| *times.entry(v).or_default() += 1);
                let only = |v: &Option<String>| v.as_deref().map(|v| times[v] == 1);
                *ask.failed_null += values.iter().filter(|v| v.is_none()).count();
                values.iter().map(|v| only(v).unwrap_or(false)).collect()
            }
            _ => unreachable!("invariant: the plan finds the operands of every predicate"),
        };
        for (record, keep) in members.iter().zip(keep) {
            records.in_cohort[*record as usize] = keep;
        }
        let after = records.in_cohort.iter().filter(|c| **c).count();
        steps.push(CohortStep { rule: rule.name.clone(), before, after, failed_null });
        // Another part may have a record left.
        if after == 0 && records.part().is_whole() {
            return Err(IngestError::NoRecords(format!("rule \"{}\"", rule.name)));
        }
    }
    Ok(())
}

/// What is asked about the members of a cohort.
struct Question<'q> {
    plan: &'q Plan<'q>,
    records: &'q Records,
    facts: &'q Facts,
    answers: &'q dyn Answers,
    members: &'q [u32],
    failed_null: &'q mut usize,
}

impl Question<'_> {
    /// The value of each member.
    fn answers_to(&self, operand: &Operand) -> Vec<Option<Answer>> {
        let Self { plan, records, facts, answers, .. } = self;
        // A scratch meter: values outside their range are counted once, for the final cohort.
        let mut meter = match operand {
            Operand::Variable(v) => Some(Meter::new(plan.variables[*v].variable)),
            Operand::Column { .. } => None,
        };
        let answer = |&record: &u32| match (operand, &mut meter) {
            (Operand::Variable(v), Some(meter)) => {
                let variable = plan.variables[*v].variable;
                let measured = answers.measured(*v, record, records);
                match measured.value() {
                    Some(value) => Some(answers.answer(*v, value)),
                    None => {
                        let found = measured.or(facts.value(variable, meter, records, record));
                        let value = found.with_default(variable, variable.aggregate).value()?;
                        Some(Answer::of(value, &meter.levels))
                    }
                }
            }
            // A column that is declared text is compared as text: 0389 is not 389.
            (Operand::Column { table, column }, _) => {
                facts.column(table, column).and_then(|facts| match &facts[record as usize] {
                    Fact::Text(text) => Some(Answer::Text(text.clone())),
                    fact => fact.number().map(Answer::Number).or_else(|| fact.text().map(Answer::Text)),
                })
            }
            (Operand::Variable(_), None) => None,
        };
        self.members.iter().map(answer).collect()
    }

    /// Which members pass; a null fails and is counted.
    fn test(&mut self, operand: &Operand, passes: impl Fn(&Answer) -> Option<bool>) -> Vec<bool> {
        let answers = self.answers_to(operand);
        let outcomes = answers.iter().map(|answer| answer.as_ref().and_then(&passes));
        let mut test = |outcome: Option<bool>| {
            *self.failed_null += usize::from(outcome.is_none());
            outcome.unwrap_or(false)
        };
        outcomes.map(&mut test).collect()
    }
}

/// Values of a rule: whole texts, or beginnings with `*` at the end.
struct Patterns(Vec<(String, bool)>);

impl Patterns {
    fn new(values: &[String]) -> Self {
        let pattern = |value: &String| match value.strip_suffix('*') {
            Some(head) => (normal_text(head), true),
            None => (normal_text(value), false),
        };
        Self(values.iter().map(pattern).collect())
    }

    fn match_text(&self, text: &str) -> bool {
        let text = normal_text(text);
        self.0.iter().any(|(p, open)| if *open { text.starts_with(p.as_str()) } else { text == *p })
    }

    fn any(&self, texts: &[String]) -> bool {
        texts.iter().any(|text| self.match_text(text))
    }
}

/// Features with a value, of each member.
fn n_features(
    plan: &Plan<'_>,
    records: &Records,
    facts: &Facts,
    answers: &dyn Answers,
    members: &[u32],
) -> Vec<usize> {
    let mut meters: Vec<Meter<'_>> = plan.variables.iter().map(|v| Meter::new(v.variable)).collect();
    let has = |record: u32, variable: usize, feature: &Feature, meters: &mut [Meter<'_>]| {
        answers.has(variable, feature, record, records)
            || facts
                .value(plan.variables[variable].variable, &mut meters[variable], records, record)
                .is_value()
    };
    members
        .iter()
        .map(|&r| plan.features.iter().filter(|(v, feature)| has(r, *v, feature, &mut meters)).count())
        .collect()
}

fn first_per_subject(records: &Records, members: &[u32]) -> Vec<bool> {
    let rank = |r: u32| {
        let id = records.id(r);
        // The bits of a number, the sign apart, have its order.
        let ordered = |x: f64| {
            let bits = x.to_bits().cast_signed();
            if bits < 0 { !(bits ^ i64::MIN) } else { bits }
        };
        let order = records.order.get(r as usize).copied().flatten().map(ordered);
        // A record without a start comes after those with one.
        (order.is_none(), order, records.start[r as usize].unwrap_or(i64::MAX), id.parse::<i64>().ok(), id)
    };
    let mut first: HashMap<u32, u32> = HashMap::new();
    for &record in members {
        let best = first.entry(records.subject_of[record as usize]).or_insert(record);
        if rank(record) < rank(*best) {
            *best = record;
        }
    }
    members.iter().map(|&r| first[&records.subject_of[r as usize]] == r).collect()
}
