//! `evaluate --marks`: what people said of the flags they looked at.

use std::collections::HashMap;
use std::path::Path;

use crate::ingest::TextTable;
use crate::message::{Message, Weight, counted, plural};
use crate::outlier::{ListedFlag, Mark, MarkAgreement, Pattern, marked};

use super::flag_table::FlagTable;
use super::{Error, error};

/// Holds marks against the flags they are of. Returns the figures and what the user should know.
///
/// # Errors
/// Files that cannot be read; marks of another table of flags, of rows that are not flagged, or given twice;
/// words that are no marks.
pub fn evaluate_marks(flags: &Path, marks: &Path) -> Result<(MarkAgreement, Vec<Message>), Error> {
    let table = FlagTable::read(flags)?;
    if table.flags.is_empty() {
        return Err(Error::Usage {
            message: format!(
                "none of the {} rows of {} is flagged, so there is nothing that marks could be of",
                table.n_rows,
                flags.display()
            ),
            hint: "flag at a larger level, such as --alpha 0.05, and mark those flags".into(),
        });
    }
    let of_flag = read_marks(marks, flags, &table)?;
    let judged: Vec<(&'static str, Option<Mark>)> = table
        .flags
        .iter()
        .map(|flag| (Pattern::kind_of(&flag.pattern), of_flag.get(&flag.row).copied()))
        .collect();
    let agreement = marked(&judged);
    let mut messages = Vec::new();
    let unmarked = agreement.all.n_unmarked();
    if unmarked > 0 {
        let text = format!(
            "{} of {} flags {} no mark and {} left out: precision is of the others, and says nothing of \
             these if they were passed over for what they look like",
            unmarked,
            table.flags.len(),
            plural(unmarked, "has", "have"),
            plural(unmarked, "is", "are")
        );
        messages.push(Message::records(Weight::LeftOut, text).counting(unmarked));
    }
    Ok((agreement, messages))
}

/// The marks by row of the table of flags.
fn read_marks(path: &Path, flags: &Path, table: &FlagTable) -> Result<HashMap<usize, Mark>, Error> {
    let marks = TextTable::open(path)?;
    let place = |name: &str| marks.header().iter().position(|h| h.trim().eq_ignore_ascii_case(name));
    let (row, id, of) = (place("row"), place("record_id"), place("flags"));
    let Some(mark) = place("mark") else {
        return Err(needs(path, marks.header()));
    };
    // Rows are those of one table of flags, which has to be named; ids speak for themselves.
    let by_row = row.zip(of);
    let Some(key) = by_row.map(|(row, _)| row).or(id) else { return Err(needs(path, marks.header())) };
    let by_id: HashMap<&str, Vec<&ListedFlag>> =
        table.flags.iter().fold(HashMap::new(), |mut all: HashMap<&str, Vec<_>>, flag| {
            all.entry(flag.record_id.as_str()).or_default().push(flag);
            all
        });
    let flagged: HashMap<usize, &ListedFlag> = table.flags.iter().map(|flag| (flag.row, flag)).collect();
    let mut of_flag = HashMap::new();
    marks.each(&[key, mark, by_row.map_or(key, |(_, of)| of)], |place, cells| {
        // What a cell holds is not repeated: a wrong column may hold anything.
        let wrong = |what: String| error::marks(path, format!("{place}: {what}"));
        if by_row.is_some() && cells[2] != table.fingerprint() {
            return Err(wrong(format!(
                "this mark is of another table of flags: {} has the fingerprint `{}`, and the cell in \
                 `flags` names another one, so that rows tell nothing here",
                flags.display(),
                table.fingerprint()
            )));
        }
        if cells[1].is_empty() {
            return Ok(());
        }
        let said = Mark::of_word(&cells[1]).ok_or_else(|| {
            let words = Mark::ALL.map(|mark| format!("`{}`", mark.name())).join(", ");
            wrong(format!("the cell in `mark` is no mark; marks are {words}"))
        })?;
        let flag = if by_row.is_some() {
            let row = cells[0].parse::<usize>().ok();
            row.and_then(|row| flagged.get(&row).copied())
                .ok_or_else(|| wrong("the cell in `row` is no row that is flagged".into()))?
        } else {
            match by_id.get(cells[0].as_str()).map(Vec::as_slice) {
                Some([only]) => *only,
                Some(several) => {
                    let n = several.len();
                    return Err(wrong(format!(
                        "{n} flags have this record id; marks by `row` tell them apart"
                    )));
                }
                None => return Err(wrong(format!("no flag in {} has this record id", flags.display()))),
            }
        };
        if of_flag.insert(flag.row, said).is_some() {
            return Err(wrong("a flag that was marked before".into()));
        }
        Ok::<(), Error>(())
    })?;
    if of_flag.is_empty() {
        return Err(error::marks(path, "it marks no flag".into()));
    }
    Ok(of_flag)
}

fn needs(path: &Path, header: &[String]) -> Error {
    let has: Vec<String> = header.iter().map(|name| format!("`{name}`")).collect();
    error::marks(
        path,
        format!(
            "needs the columns `mark`, and `row` with `flags` (as the page of `report --review` writes them) \
             or `record_id`; it has {}",
            if has.is_empty() { counted(0, "column", "columns") } else { has.join(", ") }
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &str = "record_id,log_prob,score,p_value,q_value,flagged,explanation,feature_1,pattern_1\n\
                         a,-9,4.0,0.01,0.1,true,x is high,x,×10\n\
                         b,-8,1.0,0.5,0.6,false,,,\n\
                         c,-9,,0.01,0.1,true,no score,,\n\
                         d,-9,3.0,0.01,0.1,True,y is low,y,swapped with z\n\
                         d,-9,3.0,0.01,0.1,true,y is low,y,\n";

    fn evaluated(marks: &str) -> Result<(MarkAgreement, Vec<Message>), String> {
        let dir = tempfile::tempdir().unwrap();
        let (flags, path) = (dir.path().join("flags.csv"), dir.path().join("marks.csv"));
        std::fs::write(&flags, FLAGS).unwrap();
        let table = FlagTable::read(&flags).unwrap();
        std::fs::write(&path, marks.replace("FP", table.fingerprint())).unwrap();
        evaluate_marks(&flags, &path).map_err(|e| e.to_string())
    }

    #[test]
    fn marks_are_joined_by_row_and_by_id() {
        let (got, messages) =
            evaluated("row,mark,flags\n1,error,FP\n5,true but unusual,FP\n3,,FP\n").unwrap();
        assert_eq!((got.all.n_flags, got.all.n_errors, got.all.n_unusual), (4, 1, 1));
        assert!(messages[0].text.starts_with("2 of 4 flags have no mark"), "{messages:?}");
        let patterns: Vec<_> = got.by_pattern.iter().map(|(p, n)| (p.as_str(), n.n_errors)).collect();
        assert_eq!(patterns, [("no pattern", 0), ("decimal point", 1), ("exchanged values", 0)]);
        let (got, _) = evaluated("record_id,mark\na,not-sure\nc,error\n").unwrap();
        assert_eq!((got.all.n_errors, got.all.n_unsure), (1, 1));
    }

    #[test]
    fn marks_that_are_of_other_flags_are_refused() {
        for (marks, said) in [
            ("row,mark,flags\n1,error,0123456789ab\n", "line 2: this mark is of another table of flags"),
            ("row,mark,flags\n2,error,FP\n", "line 2: the cell in `row` is no row that is flagged"),
            ("row,mark,flags\n1,error,FP\n1,error,FP\n", "line 3: a flag that was marked before"),
            ("row,mark,flags\n1,maybe,FP\n", "line 2: the cell in `mark` is no mark; marks are `error`"),
            ("row,mark\n1,error\n", "needs the columns `mark`"),
            ("record_id,mark\nd,error\n", "line 2: 2 flags have this record id"),
            ("record_id,mark\nb,error\n", "line 2: no flag in"),
            ("record_id,mark\na,\n", "it marks no flag"),
        ] {
            let error = evaluated(marks).unwrap_err();
            assert!(error.contains(said), "{error}");
            // A patient's name may stand where a mark should: no word of the file is repeated.
            assert!(!["maybe", "0123456789ab"].iter().any(|word| error.contains(word)), "{error}");
        }
    }

    #[test]
    fn without_a_flag_there_is_nothing_to_mark() {
        let dir = tempfile::tempdir().unwrap();
        let flags = dir.path().join("flags.csv");
        let rows: Vec<&str> =
            FLAGS.lines().enumerate().filter(|(i, _)| [0, 2].contains(i)).map(|(_, l)| l).collect();
        std::fs::write(&flags, rows.join("\n")).unwrap();
        let error = evaluate_marks(&flags, &flags).unwrap_err();
        assert!(error.to_string().contains("none of the 1 rows of"), "{error}");
        let hint = crate::error::Hint::hint(&error).unwrap();
        assert!(hint.contains("--alpha") && !hint.contains("label"), "{hint}");
    }
}
