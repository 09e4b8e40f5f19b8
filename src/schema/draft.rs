//! A pipeline for a wide table, drafted from what the table looks like, to be edited.

use std::fmt::Write as _;

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftColumn {
    /// Header.
    pub name: String,
    /// `id`, `group`, `split`, `ignore`, or a kind.
    pub role: String,
    /// What was met in it.
    pub note: String,
}

/// The text of a pipeline file that says of every column what would be inferred; it can be ingested as it is.
pub fn draft_pipeline(name: &str, columns: &[DraftColumn]) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(format!("# Drafted from {}. Ranges and levels are those met, not those allowed:", plain(name)));
    line("# correct the kinds, then `cohort-flow ingest THIS-FILE --input TABLE --output BUNDLE`.".into());
    line(String::new());
    line(format!("name = {}", quoted(name)));
    line(format!("title = {}", quoted(&format!("{name}, one row per record"))));
    line("seed = 0".into());
    line("min_observed = 0.01".into());
    line("transform = \"normal-score\"   # standardize, robust, log-standardize or none".into());
    line("dequantize = true             # noise of the resolution for counts and rounded values".into());
    line(String::new());
    line("[wide]".into());
    line(
        "missing = [\"NA\", \"N/A\", \"NaN\", \"nan\", \"NULL\", \"null\", \"?\", \".\", \"<NA>\", \"#N/A\"]"
            .into(),
    );
    let of =
        |role: &str| columns.iter().filter(|c| c.role == role).map(|c| quoted(&c.name)).collect::<Vec<_>>();
    for role in ["id", "group", "split"] {
        if let Some(name) = of(role).first() {
            line(format!("{role} = {name}"));
        }
    }
    line(format!("ignore = [{}]", of("ignore").join(", ")));
    line(String::new());
    line("[wide.kinds]   # continuous, count, ordinal, binary, categorical".into());
    for column in columns.iter().filter(|c| !["id", "group", "split", "ignore"].contains(&c.role.as_str())) {
        let note =
            if column.note.is_empty() { String::new() } else { format!("   # {}", plain(&column.note)) };
        line(format!("{} = \"{}\"{note}", quoted(&column.name), column.role));
    }
    line(String::new());
    line("[split]".into());
    for (split, share) in [("train", "0.6"), ("validation", "0.1"), ("calibration", "0.15"), ("test", "0.15")]
    {
        line(format!("{split} = {share}"));
    }
    out
}

/// Text that cannot end a comment.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A TOML text.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Kind, parse_pipeline};

    #[test]
    fn a_draft_is_a_pipeline() {
        let column = |name: &str, role: &str, note: &str| DraftColumn {
            name: name.into(),
            role: role.into(),
            note: note.into(),
        };
        let columns = [
            column("id", "id", ""),
            column("say \"x\"", "continuous", "1 to 2\nevil = true"),
            column("ward\t", "categorical", ""),
            column("note", "ignore", ""),
        ];
        let text = draft_pipeline("a \"b\"\n[c]", &columns);
        let (pipeline, schema) = parse_pipeline("draft", &text, &|_| unreachable!()).unwrap();
        assert!(schema.is_none());
        let wide = pipeline.wide.unwrap();
        assert_eq!((wide.id.as_deref(), wide.ignore), (Some("id"), vec!["note".to_string()]));
        let kinds = [("say \"x\"".to_string(), Kind::Continuous), ("ward\t".to_string(), Kind::Categorical)];
        assert_eq!(wide.kinds, kinds);
    }
}
