use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::*;

/// A folder `in` with a file and a folder of its own, and files outside of it.
fn folders() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["in/sub", "out"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    for file in ["in/a", "in/sub/b", "out/c"] {
        fs::write(dir.path().join(file), file).unwrap();
    }
    dir
}

fn names(dir: &Path, paths: impl IntoIterator<Item = PathBuf>) -> Vec<String> {
    paths.into_iter().map(|p| p.strip_prefix(dir).unwrap().display().to_string()).collect()
}

fn listed(dir: &Path) -> (Vec<String>, Vec<(String, Refusal)>) {
    let listing = walk(dir, 16, |_| true).unwrap();
    let refused = listing.refused.into_iter();
    let refused = refused.map(|r| (names(dir, [r.path]).concat(), r.why)).collect();
    (names(dir, listing.files), refused)
}

#[test]
fn links_out_of_a_folder_are_refused_and_links_within_it_are_followed() {
    let dir = folders();
    let inside = dir.path().join("in");
    symlink("../out/c", inside.join("file")).unwrap();
    symlink("../out", inside.join("folder")).unwrap();
    symlink("../../out/c", inside.join("sub/deep")).unwrap();
    symlink("sub/b", inside.join("within")).unwrap();
    symlink("nothing", inside.join("broken")).unwrap();
    // A link through the folder's own name stays within it, and one that passes through another link does not.
    symlink("../in/a", inside.join("round")).unwrap();
    symlink("folder/c", inside.join("through")).unwrap();
    let (files, refused) = listed(&inside);
    assert_eq!(files, ["a", "round", "sub/b", "within"]);
    let out = |name: &str| (name.to_owned(), Refusal::LeadsOut);
    let nowhere = ("broken".to_owned(), Refusal::LeadsNowhere);
    assert_eq!(refused, [nowhere, out("file"), out("folder"), out("sub/deep"), out("through")]);
    let listing = walk(&inside, 16, |_| true).unwrap();
    let told: Vec<String> = listing.told(&inside).into_iter().map(|m| m.text).collect();
    assert!(
        told[0].starts_with(
            "4 links lead out of the folder, and are left out: `file`, `folder` (a folder), `sub/deep`, `through`;"
        ) && told[0].contains("--no-follow-links"),
        "{told:?}"
    );
    assert!(told[1].starts_with("1 link leads nowhere, and is left out: `broken`;"), "{told:?}");
    assert!(listing.whole().unwrap_err().to_string().contains("a link that leads nowhere"));
    // A folder that was named is where it leads to.
    symlink("in", dir.path().join("link")).unwrap();
    assert_eq!(listed(&dir.path().join("link")), listed(&inside));
    // What is not looked into is not judged by where it leads.
    let flat = walk(&inside, 0, |_| true).unwrap();
    assert_eq!(names(&inside, flat.folders), ["folder", "sub"]);
    assert_eq!(flat.refused.len(), 3, "{:?}", flat.refused);
}

#[test]
fn single_files_are_held_against_their_folder() {
    let dir = folders();
    let inside = dir.path().join("in");
    symlink("../out/c", inside.join("file")).unwrap();
    symlink("sub/b", inside.join("within")).unwrap();
    let error = within(&inside, &inside.join("file")).unwrap_err().to_string();
    assert!(error.contains("a link that leads out of the folder"), "{error}");
    for fine in ["a", "within", "sub/b", "nothing"] {
        within(&inside, &inside.join(fine)).unwrap();
    }
    assert!(within(&inside, &dir.path().join("out/c")).is_err());
}

#[test]
fn links_in_circles_come_to_an_end() {
    let dir = folders();
    let inside = dir.path().join("in");
    symlink(".", inside.join("here")).unwrap();
    symlink("..", inside.join("sub/up")).unwrap();
    symlink("one", inside.join("other")).unwrap();
    symlink("other", inside.join("one")).unwrap();
    let (files, refused) = listed(&inside);
    assert_eq!(files, ["a", "sub/b"]);
    assert_eq!(refused.len(), 2, "two links that lead to each other: {refused:?}");
    // Twelve folders each of which holds links to all: 12! paths if every path were followed.
    let knot = dir.path().join("knot");
    for i in 0..12 {
        let folder = knot.join(format!("{i:02}"));
        fs::create_dir_all(&folder).unwrap();
        (0..12).for_each(|j| symlink(format!("../{j:02}"), folder.join(format!("l{j:02}"))).unwrap());
        fs::write(folder.join("x"), "").unwrap();
    }
    // Each under its own path and through one link.
    assert_eq!(listed(&knot).0.len(), 24);
}

#[test]
fn pipes_and_sockets_in_a_folder_are_told_of_and_not_opened() {
    let dir = folders();
    let inside = dir.path().join("in");
    assert!(Command::new("mkfifo").arg(inside.join("pipe")).status().unwrap().success());
    let _listener = UnixListener::bind(inside.join("socket")).unwrap();
    symlink("pipe", inside.join("to-pipe")).unwrap();
    symlink("/dev/zero", inside.join("zero")).unwrap();
    let (files, refused) = listed(&inside);
    assert_eq!(files, ["a", "sub/b"]);
    let why = |name: &str, why| (name.to_owned(), why);
    let no = Refusal::NotAFile;
    assert_eq!(refused, [why("pipe", no), why("socket", no), why("to-pipe", no), why("zero", no)]);
}
