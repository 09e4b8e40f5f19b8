//! The flags with their full explanations as JSON, written as they come: one document (`.json`) or one line a
//! record (`.jsonl`).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::error::IoError;
use crate::outlier::{FlagRow, Warning};
use crate::output::Staged;

use super::Error;

/// The file under construction beside its target.
pub(super) struct FlagsFile {
    out: BufWriter<File>,
    staged: Staged,
    target: PathBuf,
    /// One document, not lines.
    document: bool,
    rows: usize,
}

impl FlagsFile {
    /// Begins `path`, a `.json` or `.jsonl` file; `force` allows [`finish`](Self::finish) to replace an
    /// existing one.
    ///
    /// # Errors
    /// Another extension; an existing file without `force`; I/O failures.
    pub(super) fn begin(path: &Path, force: bool) -> Result<Self, Error> {
        let document = match path.extension().map(|e| e.to_string_lossy().to_lowercase()).as_deref() {
            Some("json") => true,
            Some("jsonl") => false,
            _ => return Err(Error::JsonFormat(path.to_path_buf())),
        };
        let staged = Staged::file(path, force)?;
        let file = File::create(staged.path()).map_err(IoError::on("create", staged.path()))?;
        let mut begun =
            Self { out: BufWriter::new(file), staged, target: path.to_path_buf(), document, rows: 0 };
        if document {
            begun.text("{\n  \"rows\": [")?;
        }
        Ok(begun)
    }

    /// Appends rows.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn write(&mut self, rows: &[FlagRow]) -> Result<(), Error> {
        for row in rows {
            match (self.document, self.rows) {
                (true, 0) => self.text("\n    ")?,
                (true, _) => self.text(",\n    ")?,
                (false, _) => {}
            }
            let written = serde_json::to_writer(&mut self.out, row);
            written.map_err(|e| IoError::on("write", &self.target)(e.into()))?;
            if !self.document {
                self.text("\n")?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    /// Completes the file with what concerns all rows, and puts it in its place.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn finish(
        mut self,
        warnings: &[Warning],
        n_calibration: usize,
        explain_top: usize,
    ) -> Result<(), Error> {
        if self.document {
            let close = if self.rows == 0 { "]" } else { "\n  ]" };
            let warnings = json!(warnings);
            self.text(&format!(
                "{close},\n  \"warnings\": {warnings},\n  \"n_calibration\": {n_calibration},\n  \
                 \"explain_top\": {explain_top}\n}}\n"
            ))?;
        }
        self.out.flush().map_err(IoError::on("write", &self.target))?;
        Ok(self.staged.commit()?)
    }

    fn text(&mut self, text: &str) -> Result<(), Error> {
        Ok(self.out.write_all(text.as_bytes()).map_err(IoError::on("write", &self.target))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlier::Flags;

    #[test]
    fn a_document_is_one_value_and_lines_are_one_each() {
        let dir = tempfile::tempdir().unwrap();
        let row = |id: &str| FlagRow { record_id: id.to_owned(), ..FlagRow::default() };
        for rows in [vec![], vec![row("a")], vec![row("a"), row("\"b\"\n"), row("c")]] {
            let (path, lines) = (dir.path().join("f.json"), dir.path().join("f.jsonl"));
            for path in [&path, &lines] {
                let mut file = FlagsFile::begin(path, true).unwrap();
                rows.iter().for_each(|row| file.write(std::slice::from_ref(row)).unwrap());
                file.finish(&[Warning::NotFinite { rows: 2 }], 17, 3).unwrap();
            }
            let got: Flags = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let warnings = vec![Warning::NotFinite { rows: 2 }];
            assert_eq!(got, Flags { rows: rows.clone(), warnings, n_calibration: 17, explain_top: 3 });
            let text = std::fs::read_to_string(&lines).unwrap();
            let got: Vec<FlagRow> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            assert_eq!(got, rows);
        }
        assert!(FlagsFile::begin(&dir.path().join("f.txt"), true).is_err());
        assert!(FlagsFile::begin(&dir.path().join("f.json"), false).is_err());
    }
}
