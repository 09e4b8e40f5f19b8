//! The cohort rules of a pipeline: each tests one thing of a record.

use toml::Spanned;

use super::lacking::Lacking;
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Field, Get, List, PipelineFile, Text};
use crate::schema::{CohortRule, DType, Kind, Predicate, Record, Schema, TableKind, suggest};

/// Resolves `rules`. The number of features is unknown for wide tables, whose columns are those of the file.
pub(super) fn rules(
    problems: &Problems<'_>,
    raw: &PipelineFile,
    schema: Option<&Schema>,
    n_features: Option<usize>,
    mut lacking: Option<&mut Lacking<'_>>,
) -> Vec<CohortRule> {
    let mut rules: Vec<CohortRule> = Vec::new();
    for rule in raw.rules.get().into_iter().flat_map(|list| list.items()) {
        if let (Some(lacking), Some(schema)) = (&mut lacking, schema)
            && let Some((rule, column)) = tested(rule.get_ref())
            && lacking.find(schema, &column) == Ok(None)
        {
            lacking.rules.push(rule);
            continue;
        }
        let reading = Reading { problems, schema, lacking: lacking.as_deref() };
        let (name, predicate) = match rule.into_inner() {
            raw::CohortRule::Between(r) => (&r.name, reading.between(r)),
            raw::CohortRule::OneOf(r) => {
                let resolved = reading.values(&r.column, &r.one_of);
                (&r.name, resolved.map(|(column, values)| Predicate::OneOf { column, values }))
            }
            raw::CohortRule::NoneOf(r) => {
                let resolved = reading.values(&r.column, &r.none_of);
                (&r.name, resolved.map(|(column, values)| Predicate::NoneOf { column, values }))
            }
            raw::CohortRule::SameAs(r) => (&r.name, reading.same_as(&r.column, &r.same_as)),
            raw::CohortRule::OnlyPer(r) => (
                &r.name,
                reading.single(&r.only_per).map(|tested| Predicate::OnlyPer { column: tested.column }),
            ),
            raw::CohortRule::FirstPerSubject(r) => (&r.name, reading.first_per_subject(&r.first_per_subject)),
            raw::CohortRule::MinFeatures(r) => (&r.name, reading.min_features(&r.min_features, n_features)),
        };
        let Some(name) = name.text() else { continue };
        if rules.iter().any(|r| r.name == *name.get_ref()) {
            problems.add(name.span(), format!("there are two rules `{}`", name.get_ref()));
        }
        rules.extend(predicate.map(|predicate| CohortRule { name: (*name.get_ref()).to_owned(), predicate }));
    }
    rules
}

/// What a rule tests.
struct Tested {
    /// A variable, a column of the records table, or `TABLE.COLUMN`.
    column: String,
    text: bool,
    many: bool,
}

/// The name of a rule and the column that it tests, if it is of the kind that tests one.
fn tested(rule: &raw::CohortRule) -> Option<(String, String)> {
    let (name, column) = match rule {
        raw::CohortRule::Between(r) => (&r.name, &r.column),
        raw::CohortRule::OneOf(r) => (&r.name, &r.column),
        raw::CohortRule::NoneOf(r) => (&r.name, &r.column),
        _ => return None,
    };
    Some((name.owned()?, column.owned()?))
}

/// The rules being resolved.
struct Reading<'a> {
    problems: &'a Problems<'a>,
    schema: Option<&'a Schema>,
    /// Present for pipelines over concepts.
    lacking: Option<&'a Lacking<'a>>,
}

impl Reading<'_> {
    fn between(&self, raw: &raw::Between) -> Option<Predicate> {
        let Tested { column, text, .. } = self.single(&raw.column)?;
        if text {
            let message = format!("`{column}` holds text, which has no bounds");
            self.problems.add_with_hint(raw.column.key.clone(), message, "use `one_of = [\"…\"]`");
        }
        let (min, max) = (raw.min.copied(), raw.max.copied());
        if let (Some(low), Some(high), Some(at)) = (min, max, raw::key(&raw.min))
            && low > high
        {
            self.problems.add(at, format!("`min` must not be above `max`, found {low} and {high}"));
        }
        Some(Predicate::Between { column, min, max })
    }

    /// A column with the values that it is tested for.
    fn values(&self, column: &Field<Text>, values: &Field<List<String, 1>>) -> Option<(String, Vec<String>)> {
        let tested = self.resolve(&column.text()?)?;
        let list = values.get()?;
        if list.0.is_empty() {
            self.problems.add(values.span.clone(), "the list of values is empty");
        }
        let variable = self.schema.and_then(|s| s.variable(&tested.column));
        if let Some(variable) = variable.filter(|v| !v.levels.is_empty()) {
            let levels = || variable.levels.iter().map(|(_, level)| level.as_str());
            for value in list.items().filter(|value| levels().all(|level| level != *value.get_ref())) {
                let message = format!("`{}` has no level `{}`", tested.column, value.get_ref());
                self.problems.push(value.span(), message, suggest::hint(value.get_ref(), levels()));
            }
        }
        Some((tested.column, list.cloned()))
    }

    fn same_as(&self, column: &Field<Text>, other: &Field<Text>) -> Option<Predicate> {
        let (column, other) = (self.single(column)?.column, self.single(other)?.column);
        Some(Predicate::SameAs { column, other })
    }

    fn first_per_subject(&self, first: &Field<bool>) -> Option<Predicate> {
        if !*first.get()? {
            self.problems.add(first.span.clone(), "`first_per_subject` is true, or the rule is left out");
            return None;
        }
        // Where every patient has one record, it is the first.
        let unordered = |record: &Record| {
            record.start.is_none()
                && record.order.is_none()
                && (record.id != record.subject || self.lacking.is_none())
        };
        if self.schema.is_some_and(|s| unordered(&s.record)) {
            let message = "the first record is the earliest by start, and records have no start here";
            self.problems.add(first.span.clone(), message);
        }
        Some(Predicate::FirstPerSubject)
    }

    fn min_features(&self, count: &Field<u64>, n_features: Option<usize>) -> Option<Predicate> {
        let wanted = usize::try_from(*count.get()?).ok()?;
        if let Some(n_features) = n_features.filter(|n| wanted > *n) {
            let message = format!("no record can have {wanted} features, there are {n_features}");
            self.problems.add(count.span.clone(), message);
        }
        Some(Predicate::MinFeatures { count: wanted })
    }

    /// What a name stands for, where it has one value per record.
    fn single(&self, name: &Field<Text>) -> Option<Tested> {
        let tested = self.resolve(&name.text()?)?;
        if tested.many {
            let message = format!("`{}` has many values per record", tested.column);
            let hint = "use `one_of` (any of them is) or `none_of` (none of them is)";
            self.problems.add_with_hint(name.span.clone(), message, hint);
            return None;
        }
        Some(tested)
    }

    /// The static variable, column of the records table, or column of a table joined to it that a name stands
    /// for.
    fn resolve(&self, name: &Spanned<&str>) -> Option<Tested> {
        let plain = |column: &str, text| Some(Tested { column: column.to_owned(), text, many: false });
        let (problems, at): (_, Span) = (self.problems, name.span());
        let name = *name.get_ref();
        let Some(schema) = self.schema else { return plain(name, false) };
        if let Some(variable) = schema.variable(name) {
            if !variable.is_static() && !self.lacking.is_some_and(|lacking| lacking.is_fact(name)) {
                let message = format!("`{name}` is measured many times; a rule tests one fact of the record");
                problems.add_with_hint(at, message, "test a fact of the record, or `min_features`");
                return None;
            }
            return plain(name, variable.kind == Kind::Categorical);
        }
        let record = schema.record.table.as_deref();
        let mut tables: Vec<_> =
            schema.tables.iter().filter(|t| !matches!(t.kind, TableKind::Events(_))).collect();
        tables.sort_by_key(|t| Some(t.name.as_str()) != record);
        let columns = || tables.iter().flat_map(|t| t.columns.iter().map(move |(c, d)| (t, c, *d)));
        let found = columns().find(|(table, column, _)| {
            column.eq_ignore_ascii_case(name) || format!("{}.{column}", table.name).eq_ignore_ascii_case(name)
        });
        if let Some((table, column, dtype)) = found {
            let many = matches!(table.kind, TableKind::Lists { .. });
            let of_records = Some(table.name.as_str()) == record;
            let column = if of_records { column.clone() } else { format!("{}.{column}", table.name) };
            return Some(Tested { column, text: dtype == DType::Text, many });
        }
        let facts = schema.variables.iter().filter(|v| v.is_static()).map(|v| v.name.as_str());
        let hint = suggest::hint(name, facts.chain(columns().map(|(_, c, _)| c.as_str())));
        let message = format!(
            "unknown column `{name}`: neither a fact of schema `{}` nor a column of its records",
            schema.name
        );
        problems.push(at, message, hint);
        None
    }
}
