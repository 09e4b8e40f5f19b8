//! What a reader has to say about a file that it could read: one message for each kind of thing, whichever
//! of the readers of the file comes upon it, and however often.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::Message;

/// What there is to say, in the order in which it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::ingest) enum Note {
    /// The content is not what the name says.
    Format,
    /// The cells are separated by an unusual character.
    Separator,
    /// The encoding was guessed.
    Encoding,
    /// Lines end in more than one way.
    LineEnds,
    /// The first line may be no header.
    Header,
    /// Columns without a name of their own.
    Names,
    /// Names that differ in letter case only.
    Case,
    /// Lines without a cell.
    Blank,
    /// Columns that the program which wrote the file added.
    Index,
    /// The file has no end mark.
    End,
}

/// The notes on a file, shared by all that read it.
#[derive(Debug, Clone, Default)]
pub(in crate::ingest) struct Notes(Arc<Mutex<BTreeMap<Note, Message>>>);

impl Notes {
    /// Says something; what was said of the same kind before is replaced, since it came from an earlier
    /// reading.
    pub(in crate::ingest) fn say(&self, note: Note, message: Message) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(note, message);
    }

    /// All that was said.
    pub(in crate::ingest) fn messages(&self) -> Vec<Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
