//! The cohort rules of a pipeline: each tests one thing of a record.

use toml::Spanned;

use crate::schema::parse::Section;
use crate::schema::{CohortRule, DType, Kind, Predicate, Schema, TableKind, Variable, suggest};

/// The forms of a rule, as a hint.
const FORMS: &str = "`column` with `min` and `max`, `one_of`, `none_of` or `same_as`; `only_per = \"COLUMN\"`, \
                     `first_per_subject = true`, or `min_features = N`";

pub(super) fn rules(
    root: &Section<'_>,
    schema: Option<&Schema>,
    n_features: Option<usize>,
) -> Vec<CohortRule> {
    let mut rules: Vec<CohortRule> = Vec::new();
    for section in root.sections("rules", "a rule") {
        let name = section.required_text("name");
        let predicate = predicate(&section, schema, n_features);
        if let Some(name) = name {
            if rules.iter().any(|r| r.name == *name.get_ref()) {
                section.problems.add(name.span(), format!("there are two rules `{}`", name.get_ref()));
            }
            rules.extend(
                predicate.map(|predicate| CohortRule { name: (*name.get_ref()).to_owned(), predicate }),
            );
        }
        section.finish();
    }
    rules
}

fn predicate(section: &Section<'_>, schema: Option<&Schema>, n_features: Option<usize>) -> Option<Predicate> {
    let column = section.text("column");
    let (min, max) = (section.number("min"), section.number("max"));
    let (one_of, none_of) = (section.texts("one_of"), section.texts("none_of"));
    let (same_as, only_per) = (section.text("same_as"), section.text("only_per"));
    let first = section.boolean("first_per_subject");
    let count = section.count("min_features");
    let bounds = section.has("min") || section.has("max");
    let of_column = ["one_of", "none_of", "same_as"].map(|key| section.has(key));
    let alone = ["only_per", "first_per_subject", "min_features"].map(|key| section.has(key));
    if std::iter::once(bounds).chain(of_column).chain(alone).filter(|given| *given).count() != 1 {
        section.problems.add_with_hint(section.span.clone(), "a rule tests exactly one thing", FORMS);
        return None;
    }
    if !bounds && !of_column.contains(&true) {
        if section.has("column") {
            section.problems.add(section.key_span("column"), "`column` has no effect in this rule");
        }
        return match (first, count, only_per) {
            (Some(first), ..) => first_per_subject(section, &first, schema),
            (_, Some(count), _) => min_features(section, &count, n_features),
            (.., Some(column)) => {
                let tested = resolve(section, &column, schema)?;
                one_per_record(section, &column, &tested)
                    .then_some(Predicate::OnlyPer { column: tested.column })
            }
            _ => None,
        };
    }
    if !section.require("column") {
        return None;
    }
    let name = column?;
    let tested = resolve(section, &name, schema)?;
    let (refused, values) = if section.has("none_of") { (true, none_of) } else { (false, one_of) };
    if let Some(values) = values {
        check_values(section, &tested.column, &values, schema.and_then(|s| s.variable(&tested.column)));
        let values = values.into_inner().into_iter().map(|v| (*v.get_ref()).to_owned()).collect();
        let column = tested.column;
        return Some(if refused {
            Predicate::NoneOf { column, values }
        } else {
            Predicate::OneOf { column, values }
        });
    }
    if !one_per_record(section, &name, &tested) {
        return None;
    }
    if let Some(other) = same_as {
        let found = resolve(section, &other, schema)?;
        return one_per_record(section, &other, &found)
            .then_some(Predicate::SameAs { column: tested.column, other: found.column });
    }
    let column = tested.column;
    if tested.text {
        let message = format!("`{column}` holds text, which has no bounds");
        section.problems.add_with_hint(section.key_span("column"), message, "use `one_of = [\"…\"]`");
    }
    let (min, max) = (min.map(Spanned::into_inner), max.map(Spanned::into_inner));
    if let (Some(low), Some(high)) = (min, max)
        && low > high
    {
        let message = format!("`min` must not be above `max`, found {low} and {high}");
        section.problems.add(section.key_span("min"), message);
    }
    Some(Predicate::Between { column, min, max })
}

/// What a rule tests.
struct Tested {
    /// Variable, column of the records table, or `TABLE.COLUMN`.
    column: String,
    text: bool,
    many: bool,
}

fn one_per_record(section: &Section<'_>, name: &Spanned<&str>, tested: &Tested) -> bool {
    if tested.many {
        let message = format!("`{}` has many values per record", tested.column);
        section.problems.add_with_hint(
            name.span(),
            message,
            "use `one_of` (any of them is) or `none_of` (none of them is)",
        );
    }
    !tested.many
}

fn first_per_subject(
    section: &Section<'_>,
    first: &Spanned<bool>,
    schema: Option<&Schema>,
) -> Option<Predicate> {
    if !first.get_ref() {
        section.problems.add(first.span(), "`first_per_subject` is true, or the rule is left out");
        return None;
    }
    if schema.is_some_and(|s| s.record.start.is_none()) {
        section
            .problems
            .add(first.span(), "the first record is the earliest by start, and records have no start here");
    }
    Some(Predicate::FirstPerSubject)
}

/// `n_features` is unknown for wide tables, whose columns are those of the file.
fn min_features(section: &Section<'_>, count: &Spanned<u64>, n_features: Option<usize>) -> Option<Predicate> {
    let wanted = usize::try_from(*count.get_ref()).ok()?;
    if let Some(n_features) = n_features.filter(|n| wanted > *n) {
        let message = format!("no record can have {wanted} features, there are {n_features}");
        section.problems.add(count.span(), message);
    }
    Some(Predicate::MinFeatures { count: wanted })
}

/// The static variable, column of the records table, or column of a table joined to it that a rule tests.
fn resolve(section: &Section<'_>, name: &Spanned<&str>, schema: Option<&Schema>) -> Option<Tested> {
    let plain = |column: &str, text| Some(Tested { column: column.to_owned(), text, many: false });
    let Some(schema) = schema else { return plain(name.get_ref(), false) };
    if let Some(variable) = schema.variable(name.get_ref()) {
        if !variable.is_static() {
            section.problems.add_with_hint(
                name.span(),
                format!("`{}` is measured many times; a rule tests one fact of the record", variable.name),
                "test a fact of the record, or `min_features`",
            );
            return None;
        }
        return plain(&variable.name, variable.kind == Kind::Categorical);
    }
    let record = schema.record.table.as_deref();
    let mut tables: Vec<_> =
        schema.tables.iter().filter(|t| !matches!(t.kind, TableKind::Events(_))).collect();
    tables.sort_by_key(|t| Some(t.name.as_str()) != record);
    let columns = || tables.iter().flat_map(|t| t.columns.iter().map(move |(c, d)| (t, c, *d)));
    let found = columns().find(|(table, column, _)| {
        column.eq_ignore_ascii_case(name.get_ref())
            || format!("{}.{column}", table.name).eq_ignore_ascii_case(name.get_ref())
    });
    if let Some((table, column, dtype)) = found {
        let many = matches!(table.kind, TableKind::Lists { .. });
        let of_records = Some(table.name.as_str()) == record;
        let column = if of_records { column.clone() } else { format!("{}.{column}", table.name) };
        return Some(Tested { column, text: dtype == DType::Text, many });
    }
    let facts = schema.variables.iter().filter(|v| v.is_static()).map(|v| v.name.as_str());
    let hint = suggest::hint(name.get_ref(), facts.chain(columns().map(|(_, c, _)| c.as_str())));
    let message = format!(
        "unknown column `{}`: neither a fact of schema `{}` nor a column of its records",
        name.get_ref(),
        schema.name
    );
    section.problems.push(name.span(), message, hint);
    None
}

fn check_values(
    section: &Section<'_>,
    column: &str,
    values: &Spanned<Vec<Spanned<&str>>>,
    variable: Option<&Variable>,
) {
    if values.get_ref().is_empty() {
        section.problems.add(values.span(), "the list of values is empty");
    }
    let Some(variable) = variable.filter(|v| !v.levels.is_empty()) else { return };
    for value in values.get_ref() {
        if !variable.levels.iter().any(|(_, level)| level == value.get_ref()) {
            let hint =
                suggest::hint(value.get_ref(), variable.levels.iter().map(|(_, level)| level.as_str()));
            section.problems.push(
                value.span(),
                format!("`{column}` has no level `{}`", value.get_ref()),
                hint,
            );
        }
    }
}
