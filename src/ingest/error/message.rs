//! Messages that are more than a sentence with gaps.

pub(super) fn missing_tables(tables: &[(String, Vec<String>)], folder: &str) -> String {
    let named: Vec<_> = tables.iter().map(|(t, stems)| format!("`{t}` ({})", stems.join(", "))).collect();
    format!("{folder} has no file for {} {}", plural(named.len(), "table", "tables"), named.join(", "))
}

pub(super) fn unknown_format(name: &str) -> String {
    format!(
        "{name} is no table by its name: neither .csv, .tsv, .psv, .txt (also with .gz) nor .parquet, .arrow \
         or .feather"
    )
}

pub(super) fn missing_columns(files: &[(String, Vec<String>)]) -> String {
    let named: Vec<_> = files
        .iter()
        .map(|(file, columns)| {
            let columns: Vec<_> = columns.iter().map(|c| format!("`{c}`")).collect();
            format!("{file} lacks {} {}", plural(columns.len(), "column", "columns"), columns.join(", "))
        })
        .collect();
    named.join("; ")
}

pub(super) fn part_columns(file: &str, first: &str, lacks: &str, adds: &str) -> String {
    let more = match (lacks.is_empty(), adds.is_empty()) {
        (false, true) => format!("it lacks {lacks}"),
        (true, false) => format!("it has {adds} besides"),
        _ => format!("it lacks {lacks} and has {adds} besides"),
    };
    format!("{file} has other columns than {first}: {more}")
}

/// A column that a file lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingColumn {
    /// Its name in the schema.
    pub name: String,
    /// A column of the file with a similar name.
    pub similar: Option<String>,
}

pub(super) fn missing_table_columns(files: &[(String, Vec<MissingColumn>)]) -> String {
    let column = |c: &MissingColumn| match &c.similar {
        Some(similar) => format!("`{}` (did you mean its `{similar}`?)", c.name),
        None => format!("`{}`", c.name),
    };
    let named: Vec<_> = files
        .iter()
        .map(|(file, columns)| {
            let n = plural(columns.len(), "column", "columns");
            format!("{file} lacks {n} {}", columns.iter().map(column).collect::<Vec<_>>().join(", "))
        })
        .collect();
    named.join("; ")
}

pub(super) fn duplicate_ids(file: &str, column: &str, count: usize, row: u64, line: Option<u64>) -> String {
    let place = line.map_or_else(|| format!("row {row}"), |line| format!("line {line}"));
    let ids = plural(count, "id", "ids");
    format!("{file}: column `{column}` holds {count} {ids} more than once, first again in {place}")
}

pub(super) fn plural(n: usize, one: &'static str, more: &'static str) -> &'static str {
    if n == 1 { one } else { more }
}
