//! The `events` of a table: which columns of measurements mean what, and which rows are dropped.

use toml::Spanned;

use super::columns::{find_column, value_of};
use super::units::same_unit;
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Cell, Field, Get, List, key};
use crate::schema::{DType, DropRule, EventColumns, Operator, Related, Table, suggest};

/// What stands for the item in `item_form`.
const ITEM: &str = "{item}";
/// What stands for the unit in `item_form`.
const UNIT: &str = "{unit}";

/// Columns of events being resolved.
struct Reading<'a> {
    problems: &'a Problems<'a>,
    table: &'a Table,
    at: &'a Span,
}

/// Resolves `events`.
pub(super) fn events(
    problems: &Problems<'_>,
    field: &Field<raw::Events>,
    table: &Table,
    drop: Vec<DropRule>,
) -> Option<EventColumns> {
    let raw = field.get()?;
    let reading = Reading { problems, table, at: &field.key };
    if raw.record.is_none() && raw.subject.is_none() {
        let message = format!("`events` of table `{}` needs `record`, `subject` or both", table.name);
        problems.add(field.key.clone(), message);
    }
    let id = [DType::Integer, DType::Text];
    let moment = [DType::Datetime, DType::Elapsed, DType::Minutes, DType::Hour];
    let texts = [DType::Text, DType::Integer];
    let wide = raw.wide.copied().unwrap_or(false);
    let column = |name, allowed: &[DType]| reading.column(name, allowed);
    let record = column(raw.record.text(), &id);
    let subject = column(raw.subject.text(), &id);
    let time = column(raw.time.text(), &moment);
    let end = column(raw.end.text(), &moment);
    let (item, item_within) = reading.item(raw, wide);
    let value = column(raw.value.text(), &[DType::Float, DType::Integer, DType::Quantity]);
    let text = column(raw.text.text(), &[DType::Text]);
    let unit = column(raw.unit.text(), &texts);
    let unit_else = column(raw.unit_else.text(), &texts);
    if let Some(at) = key(&raw.unit_else).filter(|_| raw.unit.is_none()) {
        problems.add(at, "`unit_else` has no meaning without `unit`");
    }
    let item_form = reading.item_form(raw, unit.is_some());
    let revision =
        column(raw.revision.text(), &[DType::Integer, DType::Float, DType::Minutes, DType::Datetime]);
    let operator = reading.operator(raw);
    let amount = raw.amount.copied().unwrap_or(false);
    if let Some(at) = key(&raw.amount).filter(|_| amount && raw.end.is_none()) {
        problems.add_with_hint(
            at,
            "`amount` is of what lasts, and `events` names no `end`",
            "an amount at one moment needs nothing: it counts in the window of its time",
        );
    }
    if wide {
        reading.nothing_beside_wide(raw);
    } else {
        let neither = raw.value.is_none() && raw.text.is_none();
        for (name, missing) in [("`item`", raw.item.is_none()), ("`value` or `text`", neither)] {
            if missing {
                problems.add(field.key.clone(), format!("`events` of table `{}` needs {name}", table.name));
            }
        }
        // What is missing or not declared is told already.
        item.as_ref()?;
        if value.is_none() && text.is_none() {
            return None;
        }
    }
    Some(EventColumns {
        record,
        subject,
        time: time?,
        end,
        item,
        item_within,
        item_form,
        related: reading.related(raw),
        value,
        text,
        unit,
        unit_else,
        unit_names: reading.unit_names(raw),
        operator,
        revision,
        amount,
        drop,
    })
}

impl Reading<'_> {
    fn column(&self, name: Option<Spanned<&str>>, allowed: &[DType]) -> Option<String> {
        let name = name?;
        let (column, dtype) = find_column(self.problems, self.table, &name)?;
        if !allowed.contains(&dtype) {
            let names: Vec<_> = allowed.iter().map(|d| d.name()).collect();
            let message = format!(
                "column `{column}` is `{}`, allowed here are {}",
                dtype.name(),
                suggest::quoted(&names)
            );
            self.problems.add(name.span(), message);
        }
        Some(column)
    }

    /// The column of the item and, of a pair, the second one.
    fn item(&self, raw: &raw::Events, wide: bool) -> (Option<String>, Option<String>) {
        let Some(list) = raw.item.spanned() else { return (None, None) };
        let names: Vec<_> = list.get_ref().items().collect();
        if names.is_empty() && !wide {
            self.problems.add(list.span(), "`item` names no column");
        }
        if names.len() > 2 {
            self.problems.add(list.span(), "`item` is one column or two");
        }
        let pair = names.len() == 2;
        let allowed: &[DType] = if pair { &[DType::Text] } else { &[DType::Integer, DType::Text] };
        let mut columns = names
            .iter()
            .take(2)
            .map(|name| self.column(Some(Spanned::new(name.span(), name.get_ref().as_ref())), allowed));
        (columns.next().flatten(), columns.next().flatten())
    }

    fn related(&self, raw: &raw::Events) -> Vec<Related> {
        let Some(list) = raw.related.get() else { return Vec::new() };
        if let (Some(at), true) = (key(&raw.related), raw.item_form.is_some() || raw.wide.is_some()) {
            self.problems.add(at, "`related` is of items that fill a column of their own");
        }
        let mut all = Vec::new();
        for relation in list.0.iter().filter_map(Get::get) {
            let Some(from) = relation.from.spanned() else { continue };
            let columns: Vec<String> =
                from.get_ref().items().map(|name| name.get_ref().as_ref().to_owned()).collect();
            if columns.is_empty() || columns.len() > 2 {
                self.problems.add(from.span(), "`from` is one column or two");
            }
            let files = relation.files.get().map(List::cloned).unwrap_or_default();
            if let (true, Some(given)) = (files.is_empty(), relation.files.spanned()) {
                self.problems.add(given.span(), "`files` names no file");
            }
            let Some(to) = relation.to.owned() else { continue };
            all.push(Related { files, from: columns, to });
        }
        all
    }

    fn item_form(&self, raw: &raw::Events, has_unit: bool) -> Option<String> {
        let form = raw.item_form.text()?;
        let (text, at) = (*form.get_ref(), form.span());
        let rest = text.split_once(ITEM).map(|(_, rest)| rest);
        let unit = rest.and_then(|rest| rest.split_once(UNIT));
        let plain = text.replacen(ITEM, "", 1).replacen(UNIT, "", 1);
        let between = unit.is_none_or(|(between, _)| !between.is_empty());
        if rest.is_none() || plain.contains(['{', '}']) || !between {
            let hint = "as in `LAB//{item}//{unit}`: a unit stands behind the item, with a text between them";
            self.problems.add_with_hint(
                at.clone(),
                "`item_form` holds `{item}` once, and perhaps `{unit}`",
                hint,
            );
        }
        if unit.is_some() && has_unit {
            self.problems
                .add(at.clone(), "the unit is in the item's text, or in a column of its own, not in both");
        }
        let item = raw.item.get().and_then(|list| list.0.first()).and_then(|name| name.text());
        let declared = item.and_then(|name| {
            self.table.columns.iter().find(|(c, _)| c.eq_ignore_ascii_case(name.get_ref())).map(|(_, d)| *d)
        });
        if declared.is_some_and(|dtype| dtype != DType::Text) {
            self.problems.add(at, "`item_form` is the form of a text, but the column of items is not `text`");
        }
        Some(text.to_owned())
    }

    fn unit_names(&self, raw: &raw::Events) -> Vec<(String, String)> {
        if let Some(at) = key(&raw.unit_names).filter(|_| {
            raw.unit.is_none() && raw.item_form.get().is_none_or(|form| !form.as_ref().contains(UNIT))
        }) {
            self.problems.add(at, "`unit_names` needs the `unit` they are names of");
        }
        let mut names: Vec<(String, String)> = Vec::new();
        for (code, name) in raw.unit_names.get().iter().flat_map(|pairs| &pairs.0) {
            let (Some(code), Some(name)) = (code.spanned(), name.get()) else { continue };
            if names.iter().any(|(other, _)| same_unit(other, code.get_ref())) {
                self.problems.add(code.span(), format!("`unit_names` names `{}` twice", code.get_ref()));
            }
            names.push(((*code.get_ref()).clone(), name.clone()));
        }
        names
    }

    fn operator(&self, raw: &raw::Events) -> Option<Operator> {
        let operator = raw.operator.get()?;
        let (column, dtype) = find_column(self.problems, self.table, &operator.column.text()?)?;
        let values = |list: &Field<raw::List<Cell, 1>>| -> Vec<String> {
            if list.get().is_some_and(|list| list.0.is_empty()) {
                self.problems.add(list.span.clone(), "the list of values is empty");
            }
            let items = list.get().into_iter().flat_map(|list| list.items());
            items.filter_map(|value| value_of(self.problems, &column, dtype, &value)).collect()
        };
        let (below, above) = (values(&operator.below), values(&operator.above));
        if let Some(both) = below.iter().find(|value| above.contains(value)) {
            let message = format!("`{both}` cannot mean both below and above");
            self.problems.add(operator.above.span.clone(), message);
        }
        Some(Operator { column, below, above })
    }

    /// Where every column is an item, no column holds the item, the value or the unit.
    fn nothing_beside_wide(&self, raw: &raw::Events) {
        for (name, at) in [
            ("item", key(&raw.item)),
            ("item_form", key(&raw.item_form)),
            ("value", key(&raw.value)),
            ("text", key(&raw.text)),
            ("unit", key(&raw.unit)),
            ("unit_names", key(&raw.unit_names)),
            ("unit_else", key(&raw.unit_else)),
            ("operator", key(&raw.operator)),
            ("revision", key(&raw.revision)),
            ("end", key(&raw.end)),
            ("amount", key(&raw.amount)),
        ] {
            if let Some(at) = at {
                self.problems.add(at, format!("`{name}` has no meaning beside `wide = true`"));
            }
        }
        let number = |dtype: &DType| matches!(dtype, DType::Float | DType::Integer | DType::Quantity);
        if !self.table.columns.iter().any(|(_, dtype)| number(dtype)) {
            let message = format!("table `{}` declares no column of numbers to be items", self.table.name);
            self.problems.add(self.at.clone(), message);
        }
    }
}

pub(super) fn drop_rules(problems: &Problems<'_>, raw: &raw::Table, table: &Table) -> Vec<DropRule> {
    let mut rules = Vec::new();
    for rule in raw.drop.get().into_iter().flat_map(|list| list.items()).map(Spanned::into_inner) {
        let column = rule.column.text().and_then(|c| find_column(problems, table, &c));
        let (Some((column, dtype)), Some(list)) = (column, rule.equals.spanned()) else { continue };
        if list.get_ref().0.is_empty() {
            problems.add(list.span(), "`equals` is empty");
        }
        let values = list.get_ref().items();
        let equals: Vec<String> =
            values.filter_map(|value| value_of(problems, &column, dtype, &value)).collect();
        let reason = rule.reason.owned().unwrap_or_else(|| format!("{column} is {}", equals.join(" or ")));
        rules.push(DropRule { column, equals, reason });
    }
    rules
}
