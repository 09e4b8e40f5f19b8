//! Scores of records between the two passes of `flag`, in a file beside its output: 16 bytes a record on the
//! disk, none in memory.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::IoError;
use crate::output::Staged;

use super::Error;

/// The file while it is written. It is removed when the run ends, in whatever way.
pub(super) struct ScoreFile {
    file: BufWriter<File>,
    staged: Staged,
}

/// The same file while it is read.
pub(super) struct StoredScores {
    file: BufReader<File>,
    path: PathBuf,
    _staged: Staged,
}

impl ScoreFile {
    /// Begins the file beside `output`.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn begin(output: &Path) -> Result<Self, Error> {
        let mut name = output.file_name().unwrap_or_default().to_os_string();
        name.push(".scores");
        // Never put into its place, so that nothing of that name is replaced.
        let staged = Staged::file(&output.with_file_name(name), true)?;
        let file = File::create(staged.path()).map_err(IoError::on("create", staged.path()))?;
        Ok(Self { file: BufWriter::new(file), staged })
    }

    /// Appends the log-likelihoods and scores of the next records.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn append(&mut self, log_prob: &[f64], scores: &[f64]) -> Result<(), Error> {
        for (log_prob, score) in log_prob.iter().zip(scores) {
            let numbers = [log_prob.to_le_bytes(), score.to_le_bytes()];
            self.file.write_all(numbers.as_flattened()).map_err(IoError::on("write", self.staged.path()))?;
        }
        Ok(())
    }

    /// Turns to reading, from the first record on.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn read(self) -> Result<StoredScores, Error> {
        let Self { mut file, staged } = self;
        file.flush().map_err(IoError::on("write", staged.path()))?;
        let file = File::open(staged.path()).map_err(IoError::on("read", staged.path()))?;
        Ok(StoredScores { file: BufReader::new(file), path: staged.path().to_path_buf(), _staged: staged })
    }
}

impl StoredScores {
    /// Log-likelihoods and scores of the next `n` records.
    ///
    /// # Errors
    /// I/O failures; fewer records than were written.
    pub(super) fn next(&mut self, n: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let mut numbers = [[0; 8]; 2];
        let (mut log_prob, mut scores) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for _ in 0..n {
            self.file.read_exact(numbers.as_flattened_mut()).map_err(IoError::on("read", &self.path))?;
            log_prob.push(f64::from_le_bytes(numbers[0]));
            scores.push(f64::from_le_bytes(numbers[1]));
        }
        Ok((log_prob, scores))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_come_back_to_the_bit_and_the_file_goes() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("flags.csv");
        let mut file = ScoreFile::begin(&output).unwrap();
        file.append(&[-1.5, f64::NAN], &[0.1, f64::INFINITY]).unwrap();
        file.append(&[-1e12], &[3.0]).unwrap();
        let mut stored = file.read().unwrap();
        assert_eq!(stored.next(1).unwrap(), (vec![-1.5], vec![0.1]));
        let (log_prob, scores) = stored.next(2).unwrap();
        assert!(log_prob[0].is_nan() && log_prob[1] == -1e12);
        assert_eq!(scores, [f64::INFINITY, 3.0]);
        assert!(stored.next(1).is_err());
        drop(stored);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
