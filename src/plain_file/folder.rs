//! What lies in a folder that a user named, and which links in it are followed.
//!
//! A folder is often unpacked from an archive of somebody else. A link in it that leads out of the folder
//! lets its author choose which files of the reader are read and end up in a bundle or a report. It is
//! followed where that is allowed, and then told of: those who link large files instead of copying them are
//! many. A link that stays within the folder is followed, and so is every path that the user typed: that a
//! folder or a file that was named is itself a link means nothing.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::{IoError, Refusal};
use crate::message::{Message, Weight, counted};

/// One answer for the whole process, given before any folder is read: it is about whom a user trusts and not
/// about one of the many places that list folders. Unit tests share one process, and refuse, so that refusing
/// is tested; that links are followed is tested by the program as a whole.
static LINKS_OUT: AtomicBool = AtomicBool::new(cfg!(not(test)));

/// Links out of a folder that were followed, for the message about them.
static FOLLOWED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Names given in a sentence; more are counted.
const NAMED: usize = 5;

/// Says whether links that lead out of a folder are followed; they are unless this forbids it.
pub fn allow_links_out(allowed: bool) {
    LINKS_OUT.store(allowed, Ordering::Relaxed);
}

/// What to say of the links out of a folder that were followed so far; none where there were none.
pub fn links_followed() -> Option<Message> {
    let all = FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner);
    let shown =
        all.iter().take(NAMED).map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ");
    let more = all.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let text = format!(
        "{} followed: {shown}{more}; --no-follow-links refuses such links",
        counted(
            all.len(),
            "link that leads out of its folder was",
            "links that lead out of their folder were"
        )
    );
    (!all.is_empty()).then(|| Message::records(Weight::Choice, text).counting(all.len()))
}

/// Whether a link that leads out is followed; if it is, that is remembered.
fn is_followed(link: &Path) -> bool {
    let allowed = LINKS_OUT.load(Ordering::Relaxed);
    if allowed {
        FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner).insert(link.to_path_buf());
    }
    allowed
}

/// What lies in a folder, each in the order of paths.
#[derive(Debug, Default)]
pub struct Listing {
    /// Ordinary files and links to such, in the folder and in those within it that were looked into.
    pub files: Vec<PathBuf>,
    /// Folders at the greatest depth, which were not looked into.
    pub folders: Vec<PathBuf>,
    /// What is not read.
    pub refused: Vec<Refused>,
}

/// Something in a folder that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it lies.
    pub path: PathBuf,
    /// Why it is not read.
    pub why: Refusal,
    /// Whether it is a link to a folder.
    pub is_folder: bool,
}

impl Refused {
    /// The error for something that is needed.
    pub fn error(&self) -> IoError {
        IoError::on("read", &self.path)(self.why.into())
    }
}

impl Listing {
    /// Refuses a folder in which something is not read.
    ///
    /// # Errors
    /// The first of them with the reason.
    pub fn whole(&self) -> Result<(), IoError> {
        self.refused.first().map_or(Ok(()), |refused| Err(refused.error()))
    }

    /// A sentence for each reason for which something of the folder `named` is left out.
    pub fn told(&self, named: &Path) -> Vec<Message> {
        let reasons = [Refusal::LeadsOut, Refusal::LeadsNowhere, Refusal::NotAFile];
        reasons.into_iter().filter_map(|why| self.told_of(why, named)).collect()
    }

    fn told_of(&self, why: Refusal, named: &Path) -> Option<Message> {
        let all: Vec<&Refused> = self.refused.iter().filter(|refused| refused.why == why).collect();
        let shown = all.iter().take(NAMED).map(|refused| {
            let path = refused.path.strip_prefix(named).unwrap_or(&refused.path);
            format!("`{}`{}", path.display(), if refused.is_folder { " (a folder)" } else { "" })
        });
        let shown = shown.collect::<Vec<_>>().join(", ");
        let more = all.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let what = match why {
            Refusal::LeadsOut => ("link leads out of the folder", "links lead out of the folder"),
            Refusal::LeadsNowhere => ("link leads nowhere", "links lead nowhere"),
            Refusal::NotAFile | Refusal::Changed => {
                ("pipe or device is no file", "pipes or devices are no files")
            }
        };
        let text = format!(
            "{}, and {} left out: {shown}{more}; {}",
            counted(all.len(), what.0, what.1),
            if all.len() == 1 { "is" } else { "are" },
            why.remedy()
        );
        (!all.is_empty()).then(|| Message::records(Weight::LeftOut, text).counting(all.len()))
    }
}

/// A folder that is to be looked into.
struct Ahead {
    /// As it is called from the folder that was named.
    path: PathBuf,
    /// Where it really lies.
    real: PathBuf,
    /// Folders between it and the one that was named.
    depth: usize,
}

/// Lists a folder and the folders within it, `depth` of them one within the other. What `is_looked_at` is
/// false of by its name is passed over with all that lies in it.
///
/// Every folder is looked into under its own path and through at most one link, and a link to a folder that
/// it lies in is passed over, so that links in circles come to an end.
///
/// # Errors
/// A folder that cannot be read.
pub fn walk(named: &Path, depth: usize, is_looked_at: impl Fn(&str) -> bool) -> Result<Listing, IoError> {
    let root = fs::canonicalize(named).map_err(IoError::on("read", named))?;
    let mut listing = Listing::default();
    let mut through_links = HashSet::new();
    let mut ahead = VecDeque::from([Ahead { path: named.to_path_buf(), real: root.clone(), depth: 0 }]);
    while let Some(folder) = ahead.pop_front() {
        let io = |e| IoError::on("read", &folder.path)(e);
        let mut entries =
            fs::read_dir(&folder.path).map_err(io)?.collect::<Result<Vec<_>, _>>().map_err(io)?;
        // The system lists in any order, and which of several links is followed must not depend on that.
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if !is_looked_at(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let real = folder.real.join(entry.file_name());
            let kind = entry.file_type().map_err(IoError::on("read", &path))?;
            let (real, kind, linked) = if kind.is_symlink() {
                let target = match fs::canonicalize(&path) {
                    Ok(target) => target,
                    Err(e) if leads_nowhere(&e) => {
                        let why = Refusal::LeadsNowhere;
                        listing.refused.push(Refused { path, why, is_folder: false });
                        continue;
                    }
                    Err(e) => return Err(IoError::on("read", &path)(e)),
                };
                let kind = fs::metadata(&target).map_err(IoError::on("read", &path))?.file_type();
                (target, kind, true)
            } else {
                (real, kind, false)
            };
            let leads_out = linked && !real.starts_with(&root);
            if kind.is_dir() && folder.depth == depth {
                listing.folders.push(path);
            } else if leads_out && (kind.is_dir() || kind.is_file()) && !is_followed(&path) {
                listing.refused.push(Refused { path, why: Refusal::LeadsOut, is_folder: kind.is_dir() });
            } else if kind.is_dir() {
                let circle =
                    linked && (folder.real.starts_with(&real) || !through_links.insert(real.clone()));
                if !circle {
                    ahead.push_back(Ahead { path, real, depth: folder.depth + 1 });
                }
            } else if kind.is_file() {
                listing.files.push(path);
            } else {
                listing.refused.push(Refused { path, why: Refusal::NotAFile, is_folder: false });
            }
        }
    }
    listing.files.sort();
    listing.folders.sort();
    listing.refused.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

/// Whether a link leads nowhere: its target is not there, or is itself through other links.
fn leads_nowhere(error: &io::Error) -> bool {
    // The name of the kind for circles of links is not stable yet.
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || error.raw_os_error().is_some_and(|code| LOOPS.contains(&code))
}

/// `ELOOP` of Linux and of the BSDs.
const LOOPS: [i32; 2] = [40, 62];

/// Refuses a file that is read because another file of the folder `named`, or the program itself, names it,
/// where a link leads out of the folder. What is not there is told by the opening itself.
///
/// # Errors
/// [`Refusal::LeadsOut`].
pub fn within(named: &Path, path: &Path) -> Result<(), IoError> {
    let (Ok(root), Ok(target)) = (fs::canonicalize(or_here(named)), fs::canonicalize(path)) else {
        return Ok(());
    };
    if target.starts_with(root) || is_followed(path) {
        return Ok(());
    }
    Err(IoError::on("read", path)(Refusal::LeadsOut.into()))
}

/// The parent of a file that is named without a folder is the empty path, which means the current folder.
fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
