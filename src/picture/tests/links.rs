//! Links out of a folder of pictures, and files that change while they are read.

use std::os::unix::fs::symlink;

use super::*;
use crate::picture::gather::gather;
use crate::picture::source::Source;

/// Sixteen pictures in a folder `in`, and one in a folder `out` beside it.
fn folders() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["in/well", "in/sick", "out"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    for i in 0..16 {
        let label = if i % 2 == 0 { "sick" } else { "well" };
        picture(&dir.path().join(format!("in/{label}/{i}.png")), i);
    }
    picture(&dir.path().join("out/out.png"), 99);
    dir
}

fn picture(path: &Path, seed: u32) {
    let picture = DynamicImage::ImageLuma8(grey(10, 8, seed));
    fs::write(path, written(&picture, ImageFormat::Png)).unwrap();
}

#[test]
fn pictures_behind_links_out_of_the_folder_are_left_out_and_counted() {
    let dir = folders();
    let input = dir.path().join("in");
    symlink("../../out/out.png", input.join("well/linked.png")).unwrap();
    symlink("../out", input.join("more")).unwrap();
    symlink("nothing.png", input.join("broken.png")).unwrap();
    symlink("well/1.png", input.join("within.png")).unwrap();
    symlink("/dev/zero", input.join("notes.doc")).unwrap();
    let (table, _) = read(&input, &[]).unwrap();
    assert!(table.record_ids.iter().all(|id| !id.contains("linked") && !id.contains("more")));
    let account = &table.audit.tables[0];
    assert_eq!(account.dropped[Reason::LeadsOut.name()], 2);
    assert_eq!(account.dropped[Reason::LeadsNowhere.name()], 1);
    assert!(
        said(&table)
            .contains("2 pictures are left out, each of which is a link that leads out of the folder")
    );
    assert!(said(&table).contains("--no-follow-links"), "{}", said(&table));
    // Where nothing else is there, the reason is the error.
    let only = dir.path().join("only");
    fs::create_dir(&only).unwrap();
    symlink("../out/out.png", only.join("a.png")).unwrap();
    let error = read(&only, &[]).unwrap_err();
    assert!(error.to_string().contains("leads out of the folder"), "{error}");
    assert!(error.hint().unwrap().contains("--no-follow-links"));
}

#[test]
fn lists_labels_and_arrays_behind_links_out_of_the_folder_are_errors() {
    let dir = folders();
    let input = dir.path().join("in");
    fs::write(dir.path().join("out/labels.csv"), "file,label\n").unwrap();
    symlink("../out/labels.csv", input.join("labels.csv")).unwrap();
    let refused = |input: &Path| {
        let error = read(input, &[]).unwrap_err().to_string();
        assert!(error.contains("leads out of the folder"), "{error}");
    };
    refused(&input);
    let arrays = dir.path().join("arrays");
    fs::create_dir(&arrays).unwrap();
    fs::write(arrays.join("train-images-idx3-ubyte"), idx(30)).unwrap();
    read(&arrays, &[]).unwrap();
    fs::write(dir.path().join("out/labels"), [0, 0, 8, 1, 0, 0, 0, 1, 7]).unwrap();
    symlink("../out/labels", arrays.join("train-labels-idx1-ubyte")).unwrap();
    refused(&arrays);
    refused(&arrays.join("train-images-idx3-ubyte"));
    fs::remove_file(arrays.join("train-labels-idx1-ubyte")).unwrap();
    fs::write(dir.path().join("out/test.npy"), "").unwrap();
    symlink("../out/test.npy", arrays.join("test.npy")).unwrap();
    refused(&arrays);
}

#[test]
fn pictures_and_arrays_that_change_while_they_are_read_are_noticed() {
    let dir = folders();
    let changed = |input: &Path, change: &dyn Fn()| {
        let pipeline = pipeline(&[]);
        let settings = pipeline.grid.as_ref().unwrap();
        gather(source::open(input, settings).unwrap(), settings).unwrap();
        let Source::Arrays(files) = source::open(input, settings).unwrap() else { unreachable!() };
        change();
        let error = gather(Source::Arrays(files), settings).unwrap_err();
        assert!(error.to_string().contains("changed or replaced while it was read"), "{error}");
    };
    let array = dir.path().join("x-idx3-ubyte");
    fs::write(&array, idx(30)).unwrap();
    changed(&array, &|| fs::write(&array, idx(31)).unwrap());
    // Of a folder, each picture is held against what it was when the folder was listed.
    let input = dir.path().join("in");
    let pipeline = pipeline(&[]);
    let settings = pipeline.grid.as_ref().unwrap();
    let listed = folder::list(&input).unwrap();
    assert_eq!(gather::of_folder(listed, settings).unwrap().about.len(), 16);
    let listed = folder::list(&input).unwrap();
    fs::remove_file(input.join("sick/2.png")).unwrap();
    picture(&input.join("sick/2.png"), 77);
    let error = gather::of_folder(listed, settings).unwrap_err().to_string();
    assert!(error.contains("2.png") && error.contains("changed or replaced"), "{error}");
}
