//! What is done with every column: declared roles first, then identifiers by name and by how they repeat,
//! then what the values say.

use crate::ingest::spelling::{Codes, Spelling};
use crate::message::{Message, Weight, plural};
use crate::schema::Kind;

use super::declared::Declared;
use super::doubts::{doubtful_levels, sentinels};
use super::keys::Keys;
use super::names::{Named, may_end_like_an_id, named, names_a_division, names_a_split, names_row_numbers};
use super::profile::Profile;
use super::values::{Holds, Values, judge, learn_codes};
use crate::ingest::source::StoredType;

/// Rows from which on different whole numbers in every row are worth a word.
const MANY_ROWS: u64 = 50;

/// What is done with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Id,
    Group,
    Split,
    /// A feature of numbers; `declared` ones are held to their kind.
    Number {
        kind: Kind,
        declared: bool,
    },
    /// A feature of levels.
    Levels,
    Ignored,
}

impl Role {
    /// Name in settings, drafts and audits.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Group => "group",
            Self::Split => "split",
            Self::Number { kind, .. } => kind.name(),
            Self::Levels => "categorical",
            Self::Ignored => "ignore",
        }
    }
}

/// What is known of a column when its role is decided.
pub(super) struct Known<'k> {
    pub(super) name: &'k str,
    pub(super) stored: &'k StoredType,
    pub(super) declared: Option<Declared>,
    pub(super) profile: &'k Profile,
    pub(super) keys: &'k Keys,
}

/// What was decided about a column.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    pub(super) role: Role,
    pub(super) spelling: Spelling,
    /// Whether the column is kept beside the features, and is none of them.
    pub(super) is_label: bool,
    /// Why, for the audit.
    pub(super) why: String,
}

/// Decides about every column. `spellings` are those that were learnt so far; `split` is the column of
/// splits, and `divided` says that the table itself names the split of each row.
pub(super) fn decide(
    columns: &[Known<'_>],
    spellings: Vec<Spelling>,
    split: Option<usize>,
    divided: bool,
    messages: &mut Vec<Message>,
) -> Vec<Decision> {
    let identifiers = identifiers(columns, split, divided, messages);
    let decided = columns.iter().zip(spellings).zip(identifiers).enumerate();
    decided
        .map(|(at, ((column, mut spelling), identifier))| {
            let (role, why) = if split == Some(at) {
                (Role::Split, "it names the split of each row".to_string())
            } else if let Some(identifier) = identifier {
                identifier
            } else {
                of_values(column, &mut spelling, messages)
            };
            let is_label = column.declared == Some(Declared::Label);
            Decision { role, spelling, is_label, why }
        })
        .collect()
}

/// The role of a column that is no identifier.
fn of_values(column: &Known<'_>, spelling: &mut Spelling, messages: &mut Vec<Message>) -> (Role, String) {
    let Known { name, profile, .. } = column;
    match column.declared {
        Some(Declared::Ignore) => (Role::Ignored, "declared".into()),
        Some(Declared::Kind(Kind::Categorical)) => {
            learn_codes(profile, spelling);
            messages.extend(doubtful_levels(name, profile));
            (Role::Levels, "declared".into())
        }
        Some(Declared::Kind(kind)) => {
            spelling.truth = kind == Kind::Binary;
            messages.extend(sentinels(name, profile, spelling));
            (Role::Number { kind, declared: true }, "declared".into())
        }
        _ => of_judgement(column, spelling, messages),
    }
}

fn of_judgement(column: &Known<'_>, spelling: &mut Spelling, messages: &mut Vec<Message>) -> (Role, String) {
    let Known { name, stored, profile, keys, .. } = column;
    if let Some((splits, rows)) = holds_splits(profile) {
        messages.push(Message::column(
            Weight::Leak,
            name,
            format!(
                "column `{name}` holds names of splits ({}, {rows} training rows) and is left out, and the \
                 rows are divided without it; --set role.{name}=split divides them by it",
                splits.join(", ")
            ),
        ));
        return (Role::Ignored, "it holds names of splits".into());
    }
    if names_a_division(name) && profile.n_distinct() <= 20 && profile.seen > 0 {
        messages.push(Message::column(
            Weight::Leak,
            name,
            format!(
                "column `{name}` is left out: by its name it says how the rows are divided; --set \
                 role.{name}=split divides them by it if it names splits, categorical or count makes it a \
                 feature"
            ),
        ));
        return (Role::Ignored, "it says by its name how the rows are divided".into());
    }
    let Values { mut holds, mut why, doubts } = judge(name, stored, profile, spelling);
    let sounds_like = named(name);
    if sounds_like == Some(Named::Place)
        && matches!(holds, Holds::Numbers(Kind::Count))
        && profile.n_distinct() <= 64
    {
        holds = Holds::Levels;
        spelling.codes = Codes::Number;
        why = format!("codes by its name, {} levels", profile.n_distinct());
        let text = format!(
            "column `{name}` holds codes by its name and is categorical; --set role.{name}=count makes it a \
             number"
        );
        messages.push(Message::column(Weight::Choice, name, text));
    } else {
        let weight = if matches!(holds, Holds::Numbers(_)) { Weight::Wrong } else { Weight::Choice };
        messages.extend(doubts.into_iter().map(|doubt| Message { weight, ..doubt }));
    }
    if let StoredType::Unreadable(what) = stored
        && matches!(sounds_like, Some(Named::Patient | Named::Stay))
    {
        let text = format!(
            "column `{name}` is named like {} and is left out, because cells of the type {what} are not \
             read: rows of one value come into several splits; store it as text",
            like(sounds_like.unwrap_or(Named::Patient))
        );
        messages.push(Message::column(Weight::Leak, name, text));
    }
    if holds == Holds::Nothing
        && keys.may_be_persons()
        && (profile.dates + profile.digit_dates) * 2 < profile.seen
        && !matches!(stored, StoredType::Temporal(_))
    {
        messages.push(Message::column(
            Weight::Leak,
            name,
            format!(
                "column `{name}` is left out, and its {} values repeat: if it is the patient, a group or an \
                 id, pass --set role.{name}=group, or the rows of one value come into several splits",
                keys.n_distinct()
            ),
        ));
    }
    let role = match holds {
        Holds::Numbers(kind) => Role::Number { kind, declared: false },
        Holds::Levels => Role::Levels,
        Holds::Nothing => Role::Ignored,
    };
    if column.declared == Some(Declared::Label) {
        // Whatever it is called, no model sees it.
        if role == Role::Ignored {
            let text = format!("label `{name}` is left out: {why}");
            messages.push(Message::column(Weight::LeftOut, name, text));
        }
        return (role, why);
    }
    if role != Role::Ignored
        && let Some(what) = sounds_like.filter(|what| *what != Named::Place)
    {
        messages.push(Message::column(
            Weight::Leak,
            name,
            format!(
                "column `{name}` is used as a feature though it is named like {}; --set role.{name}=group \
                 keeps rows of one value in one split, id or ignore leaves it out",
                like(what)
            ),
        ));
    } else if matches!(role, Role::Number { .. })
        && keys.is_whole()
        && (keys.is_nearly_unique() || (keys.n >= MANY_ROWS && keys.is_unique()))
    {
        messages.push(Message::column(
            Weight::Leak,
            name,
            format!(
                "column `{name}` is used as a feature though nearly every row has a number of its own, as \
                 identifiers have; --set role.{name}=id or ignore leaves it out"
            ),
        ));
    }
    (role, why)
}

fn like(what: Named) -> &'static str {
    match what {
        Named::Record => "an identifier",
        Named::Patient => "a patient's identifier",
        Named::Stay => "a stay's identifier",
        Named::Place => "the identifier of a place",
    }
}

/// The names of splits a column holds, if it holds nothing else and the training split and another among
/// them.
fn holds_splits(profile: &Profile) -> Option<(Vec<String>, u64)> {
    let mut words: Vec<String> = profile.words.keys().cloned().collect();
    words.sort_unstable();
    let all =
        profile.numbers == 0 && !profile.too_many_words && words.iter().all(|w| names_a_split(w).is_some());
    let kinds: std::collections::BTreeSet<_> = words.iter().filter_map(|w| names_a_split(w)).collect();
    (all && kinds.len() > 1 && kinds.contains(&crate::schema::Split::Train)).then_some((words, profile.seen))
}

/// The columns that identify something, with their roles.
fn identifiers(
    columns: &[Known<'_>],
    split: Option<usize>,
    divided: bool,
    messages: &mut Vec<Message>,
) -> Vec<Option<(Role, String)>> {
    let mut roles: Vec<Option<(Role, String)>> = columns
        .iter()
        .map(|c| match c.declared {
            Some(Declared::Id) => Some((Role::Id, "declared".into())),
            Some(Declared::Group) => Some((Role::Group, "declared".into())),
            _ => None,
        })
        .collect();
    let declared = |role: Role| roles.iter().flatten().any(|(r, _)| *r == role);
    let (mut has_id, mut has_group) = (declared(Role::Id), declared(Role::Group));
    let free: Vec<usize> = (0..columns.len())
        .filter(|&at| columns[at].declared.is_none() && split != Some(at) && columns[at].keys.holds())
        .collect();
    for &at in &free {
        if names_row_numbers(columns[at].name) && columns[at].keys.numbers_rows() {
            roles[at] = Some((Role::Ignored, "it numbers the rows".into()));
        }
    }
    // Record identifiers come before those of stays, and these before those of patients: each row has one of
    // its own.
    for wanted in [Named::Record, Named::Stay, Named::Patient, Named::Place] {
        for &at in free.iter().filter(|&&at| columns[at].keys.is_unique()) {
            if roles[at].is_none() && named(columns[at].name) == Some(wanted) {
                let role = if has_id || wanted == Named::Place { Role::Ignored } else { Role::Id };
                has_id |= role == Role::Id;
                let why = if role == Role::Id {
                    "each row has its own"
                } else {
                    "another identifier, each row has its own"
                };
                roles[at] = Some((role, why.into()));
            }
        }
    }
    // Where both patients and stays repeat, the patient is the group.
    for wanted in [Named::Patient, Named::Stay, Named::Record] {
        for &at in &free {
            let Known { name, keys, .. } = &columns[at];
            let (n, d) = (keys.n + keys.absent, keys.n_distinct());
            // An indicator called `case`, or the number of a visit, has few values.
            let many = d > 12 || d * 3 >= n;
            if roles[at].is_some() || named(name) != Some(wanted) || !many {
                continue;
            }
            if has_group {
                messages.push(Message::column(
                    Weight::LeftOut,
                    name,
                    format!(
                        "column `{name}` is left out: it is named like {}, and another column keeps the rows \
                         together; --set role.{name}=group takes this one, count or categorical makes it a \
                         feature",
                        like(wanted)
                    ),
                ));
                roles[at] = Some((Role::Ignored, "another identifier".into()));
                continue;
            }
            has_group = true;
            let mut text = group_warning(name, keys, divided);
            if wanted == Named::Record {
                text.push_str("; as it repeats, the records are called by their row numbers");
            }
            messages.push(Message::column(Weight::Choice, name, text));
            roles[at] = Some((Role::Group, format!("{d} values in {n} rows, named like {}", like(wanted))));
        }
    }
    by_behaviour(columns, &free, has_group, divided, &mut roles, messages);
    roles
}

fn group_warning(name: &str, keys: &Keys, divided: bool) -> String {
    let (d, repeated) = (keys.n_distinct(), keys.n_repeated());
    let repeat = plural(repeated, "repeats", "repeat");
    if divided {
        return format!("`{name}` is the group and no feature ({d} values, of which {repeated} {repeat})");
    }
    format!(
        "rows of equal `{name}` are kept in one split ({d} values, of which {repeated} {repeat}); it is no \
         feature"
    )
}

/// Columns that no name gives away.
fn by_behaviour(
    columns: &[Known<'_>],
    free: &[usize],
    mut has_group: bool,
    divided: bool,
    roles: &mut [Option<(Role, String)>],
    messages: &mut Vec<Message>,
) {
    for &at in free {
        let Known { name, keys, profile, .. } = &columns[at];
        // Days repeat as well, and are nobody's identifiers.
        let are_dates = (profile.dates + profile.digit_dates) * 2 >= profile.seen;
        if roles[at].is_some() || are_dates || named(name) == Some(Named::Place) {
            continue;
        }
        let mut leave_out = |why: &str| {
            messages.push(Message::column(
                Weight::LeftOut,
                name,
                format!(
                    "column `{name}` is left out: {why}; --set role.{name}=count makes it a feature, id \
                     takes it for the record's identifier"
                ),
            ));
            Some((Role::Ignored, why.to_string()))
        };
        if keys.numbers_rows() && keys.n >= 20 {
            roles[at] = leave_out("it numbers the rows");
        } else if keys.is_uniquer_than_chance() {
            roles[at] = leave_out("every row has a whole number of its own, as identifiers have");
        } else if keys.n >= MANY_ROWS && keys.is_unique() && keys.is_whole() && may_end_like_an_id(name) {
            roles[at] =
                leave_out("every row has a whole number of its own, and its name is that of an identifier");
        } else if !has_group && keys.repeats_like_persons() {
            has_group = true;
            messages.push(Message::column(
                Weight::Leak,
                name,
                format!(
                    "column `{name}` is taken for the patient, because its values repeat as identifiers do: \
                     {}; --set role.{name}=count or categorical makes it a feature, ignore leaves it out",
                    group_warning(name, keys, divided)
                ),
            ));
            roles[at] = Some((Role::Group, "its values repeat as a patient's identifiers do".into()));
        }
    }
}
