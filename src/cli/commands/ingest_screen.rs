//! What a person sees after a wide table was ingested: what was read, what each column was taken for and why,
//! and what to check first. It fits on one screen; the whole account is in `audit.json`.

use std::fmt::Write as _;

use crate::cli::console::Console;
use crate::cli::progress::grouped;
use crate::ingest::{Audit, ColumnAudit};
use crate::message::{Message, Weight, counted, plural};

/// Up to this many columns each has a line of its own.
const LISTED: usize = 24;
/// Longest name and reason that are shown in full, in characters.
const NAME: usize = 28;
const WHY: usize = 60;
/// Names shown of the columns of one role.
const NAMES: usize = 12;
/// Messages that are shown.
const MESSAGES: usize = 24;
/// Of these, the ones that are set apart at the top.
const FIRST: usize = 3;

/// Files and columns of a wide table; nothing for other inputs.
pub(super) fn columns(audit: &Audit, console: &Console) {
    if audit.columns.is_empty() {
        return;
    }
    let rows: Vec<String> = audit
        .tables
        .iter()
        .map(|t| format!("{} ({} {})", t.table, grouped(t.rows_read), plural(t.rows_read, "row", "rows")))
        .collect();
    console.note(&format!("read {}, {}", rows.join(", "), counted(audit.columns.len(), "column", "columns")));
    let lines = if audit.columns.len() <= LISTED { each(&audit.columns) } else { by_role(&audit.columns) };
    for line in lines {
        console.note(&line);
    }
}

fn each(columns: &[ColumnAudit]) -> Vec<String> {
    let mut lines = vec![format!(
        "  {:<NAME$} {:<11} {:>9} {:>9} {:>8}  because",
        "column", "taken for", "values", "absent", "rejected"
    )];
    lines.extend(columns.iter().map(|c| {
        let n = |n: u64| if c.role == "ignore" { "–".to_string() } else { grouped(n) };
        format!(
            "  {:<NAME$} {:<11} {:>9} {:>9} {:>8}  {}",
            shortened(&c.column, NAME),
            taken_for(&c.role),
            n(c.values),
            n(c.absent),
            n(c.rejected.values().sum()),
            shortened(&c.why, WHY)
        )
    }));
    lines
}

fn by_role(columns: &[ColumnAudit]) -> Vec<String> {
    let mut roles: Vec<&str> = Vec::new();
    for column in columns {
        if !roles.contains(&column.role.as_str()) {
            roles.push(&column.role);
        }
    }
    roles
        .into_iter()
        .map(|role| {
            let of: Vec<&ColumnAudit> = columns.iter().filter(|c| c.role == role).collect();
            let names: Vec<String> = of.iter().take(NAMES).map(|c| shortened(&c.column, NAME)).collect();
            let mut line = format!("  {:<11} {:>5}  {}", taken_for(role), of.len(), names.join(", "));
            if of.len() > NAMES {
                let _ = write!(line, " and {} more", of.len() - NAMES);
            }
            if role != "ignore" {
                let sum = |n: fn(&ColumnAudit) -> u64| grouped(of.iter().map(|c| n(c)).sum());
                let _ = write!(
                    line,
                    " (cells: {} values, {} absent, {} rejected)",
                    sum(|c| c.values),
                    sum(|c| c.absent),
                    sum(|c| c.rejected.values().sum())
                );
            }
            line
        })
        .collect()
}

fn taken_for(role: &str) -> &str {
    if role == "ignore" { "left out" } else { role }
}

/// The messages, the most important ones first and set apart.
pub(super) fn messages(audit: &Audit, console: &Console) {
    let messages = &audit.messages;
    let sets_apart = !audit.columns.is_empty() && messages.len() > FIRST;
    if sets_apart {
        console.note("worth checking first:");
    }
    for (i, message) in messages.iter().take(MESSAGES).enumerate() {
        if sets_apart && i == FIRST {
            console.note("also:");
        }
        console.warn(message);
    }
    if let Some(more) = messages.len().checked_sub(MESSAGES).filter(|more| *more > 0) {
        let text = format!("{more} more warnings are in audit.json of the bundle");
        console.warn(&Message::records(Weight::LeftOut, text).counting(more));
    }
}

/// A text on one line, cut where it is too long.
fn shortened(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= most {
        return line;
    }
    let head: String = line.chars().take(most - 1).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, role: &str) -> ColumnAudit {
        ColumnAudit { column: name.into(), role: role.into(), values: 1200, ..ColumnAudit::default() }
    }

    #[test]
    fn many_columns_are_grouped_by_role() {
        let few = each(&[column("a\nb", "count"), column("note", "ignore")]);
        assert!(few[1].contains("a b") && few[1].contains("1,200") && few[2].contains("left out"), "{few:?}");
        let mut many: Vec<ColumnAudit> =
            (0..10_000).map(|i| column(&format!("x{i}"), "continuous")).collect();
        many.push(column("id", "id"));
        let lines = by_role(&many);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].contains("10000  x0, x1") && lines[0].contains("9988 more"), "{}", lines[0]);
    }
}
