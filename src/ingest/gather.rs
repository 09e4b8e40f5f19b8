//! Rows of tables with the same columns, put together in a new order.

use super::{Audit, Cells, Column, RecordTable, Subjects};

/// A row: the place of its table, and its place in that.
pub(in crate::ingest) type RowAt = (usize, usize);

/// The table of some rows of `tables`, in the order of `rows`, without an account. Copies are of rows whose
/// numbers the caller knows, so that whoever has copies sets them anew.
pub(in crate::ingest) fn gather(tables: &[RecordTable], rows: &[RowAt]) -> RecordTable {
    let first = &tables[0];
    let columns = |of: &dyn Fn(&RecordTable) -> &[Column]| -> Vec<Column> {
        let each = of(first).iter().enumerate().map(|(j, column)| Column {
            cells: cells(&tables.iter().map(|table| &of(table)[j].cells).collect::<Vec<_>>(), rows),
            ..described(column)
        });
        each.collect()
    };
    let subjects = match &first.subjects {
        Subjects::Records | Subjects::Copies(_) => Subjects::Records,
        Subjects::Named(_) => {
            Subjects::Named(rows.iter().map(|&(t, row)| Some(tables[t].subject(row))).collect())
        }
    };
    let split = |&(t, row): &RowAt| tables[t].splits.as_ref().map(|splits| splits[row]);
    RecordTable {
        record_ids: rows.iter().map(|&(t, row)| &tables[t].record_ids[row]).collect(),
        subjects,
        splits: first.splits.as_ref().map(|_| rows.iter().filter_map(split).collect()),
        columns: columns(&|table| &table.columns),
        labels: columns(&|table| &table.labels),
        audit: Audit::default(),
    }
}

/// What a column is, without its cells.
pub(in crate::ingest) fn described(column: &Column) -> Column {
    Column {
        name: column.name.clone(),
        label: column.label.clone(),
        group: column.group.clone(),
        unit: column.unit.clone(),
        kind: column.kind,
        resolution: column.resolution,
        range: column.range,
        spelling: column.spelling.clone(),
        cells: Cells::Number(Vec::new().into()),
    }
}

fn cells(of: &[&Cells], rows: &[RowAt]) -> Cells {
    match of[0] {
        Cells::Number(_) => {
            let number = |&(t, row): &RowAt| match of[t] {
                Cells::Number(x) => x.get(row),
                Cells::Text(_) => f64::NAN,
            };
            Cells::Number(rows.iter().map(number).collect())
        }
        Cells::Text(_) => {
            let text = |&(t, row): &RowAt| match of[t] {
                Cells::Number(_) => None,
                Cells::Text(texts) => texts.get(row),
            };
            Cells::Text(rows.iter().map(text).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Names, Spelling};
    use crate::schema::{Kind, Split};

    fn table(ids: &[&str], numbers: &[f64], texts: &[Option<&str>]) -> RecordTable {
        let column = |name: &str, cells| Column {
            name: name.into(),
            label: String::new(),
            group: String::new(),
            unit: String::new(),
            kind: Kind::Continuous,
            resolution: None,
            range: None,
            spelling: Spelling::undeclared(),
            cells,
        };
        RecordTable {
            record_ids: ids.iter().collect::<Names>(),
            subjects: Subjects::Named(ids.iter().map(|id| Some(format!("p{id}"))).collect()),
            splits: Some(vec![Split::Test; ids.len()]),
            columns: vec![column("x", Cells::Number(numbers.to_vec().into()))],
            labels: vec![column("y", Cells::Text(texts.iter().copied().collect()))],
            audit: Audit::default(),
        }
    }

    #[test]
    fn rows_keep_what_is_theirs() {
        let tables =
            [table(&["1", "3"], &[1.5, f64::NAN], &[Some("a"), None]), table(&["2"], &[-0.0], &[Some("b")])];
        let all = gather(&tables, &[(0, 0), (1, 0), (0, 1)]);
        assert_eq!(all.record_ids, ["1", "2", "3"]);
        assert_eq!(all.subjects().collect::<Vec<_>>(), ["p1", "p2", "p3"]);
        assert_eq!(all.splits, Some(vec![Split::Test; 3]));
        let Cells::Number(x) = &all.columns[0].cells else { panic!() };
        assert_eq!(x.get(0), 1.5);
        assert_eq!(x.get(1).to_bits(), (-0.0_f64).to_bits());
        assert!(x.get(2).is_nan());
        assert_eq!(all.labels[0].cells, Cells::Text(vec![Some("a"), Some("b"), None].into()));
    }
}
