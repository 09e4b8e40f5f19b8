//! Outputs that are abandoned, replaced, contended for and left over.

use super::*;

#[test]
fn uncommitted_stage_leaves_nothing_and_keeps_the_former_output() {
    let tmp = tempfile::tempdir().unwrap();
    let target = tmp.path().join("out");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("a"), "old").unwrap();
    assert!(matches!(Staged::dir(&target, false), Err(OutputError::Exists(_))));
    let staged = Staged::dir(&target, true).unwrap();
    fs::write(staged.path().join("a"), "new").unwrap();
    drop(staged);
    assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "old");
    assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
}

#[test]
fn an_output_that_is_or_holds_an_input_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let (folder, table) = (tmp.path().join("in"), tmp.path().join("in/t.csv"));
    fs::create_dir(&folder).unwrap();
    fs::write(&table, "x").unwrap();
    let kept = |output: &Path, input: &Path| keep_inputs(output, [input]);
    assert!(matches!(kept(&table, &table), Err(OutputError::HoldsInput { .. })));
    assert!(matches!(kept(&folder, &table), Err(OutputError::HoldsInput { .. })));
    assert!(matches!(kept(&folder.join("../in"), &table), Err(OutputError::HoldsInput { .. })));
    assert!(kept(&folder.join("out"), &folder).is_ok() && kept(&tmp.path().join("out"), &table).is_ok());
}

#[test]
fn commit_replaces_a_folder_whole() {
    let tmp = tempfile::tempdir().unwrap();
    let target = tmp.path().join("out");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("old"), "old").unwrap();
    let staged = Staged::dir(&target, true).unwrap();
    fs::write(staged.path().join("new"), "new").unwrap();
    staged.commit().unwrap();
    assert!(target.join("new").exists() && !target.join("old").exists());
    assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
}

/// A stage as a process leaves it that is killed: nobody holds it.
#[cfg(unix)]
fn killed(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir(&path).unwrap();
    fs::write(path.join("half"), "half").unwrap();
    path
}

#[test]
#[cfg(unix)]
fn what_killed_processes_left_is_removed_and_what_is_being_built_stays() {
    let tmp = tempfile::tempdir().unwrap();
    let target = tmp.path().join("out");
    let first = Staged::dir(&target, false).unwrap();
    let stale = killed(tmp.path(), ".out.1.partial");
    let other = killed(tmp.path(), ".other.1.partial");
    // The process number is the same, as it may be in two containers that share a disk.
    let second = Staged::dir(&target, false).unwrap();
    assert!(!stale.exists() && other.exists());
    assert!(first.path().exists() && first.path() != second.path());
    second.commit().unwrap();
    assert!(matches!(first.commit(), Err(OutputError::Exists(_))));
    assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 2);
}

#[test]
#[cfg(unix)]
fn a_former_output_whose_successor_never_came_is_put_back() {
    let tmp = tempfile::tempdir().unwrap();
    let target = tmp.path().join("out");
    let former = killed(tmp.path(), ".out.1.former");
    let partial = killed(tmp.path(), ".out.1.partial");
    assert!(matches!(Staged::dir(&target, false), Err(OutputError::Exists(_))));
    assert!(target.join("half").exists() && !former.exists() && !partial.exists());
    // Where the successor came, the former output is only in the way.
    let former = killed(tmp.path(), ".out.2.former");
    drop(Staged::dir(&target, true).unwrap());
    assert!(target.join("half").exists() && !former.exists());
}

#[test]
fn an_output_that_was_abandoned_is_not_put_into_place() {
    let tmp = tempfile::tempdir().unwrap();
    let target = tmp.path().join("out");
    let staged = Staged::dir(&target, false).unwrap();
    fs::write(staged.path().join("a"), "a").unwrap();
    // As the interrupt handler does, for this output alone: other tests have theirs in the list.
    remove(staged.path());
    forget(staged.path());
    assert!(staged.commit().is_err());
    assert!(!target.exists());
}
