//! Which file of a source tree needs which other, from every path that its code mentions.
//!
//! A path is resolved like the compiler does it: from the crate's root, from `self`, from `super`, or from a
//! module or an import in scope. Names that a module re-exports (`pub use`) lead to the file that defines
//! them. Declaring a child module and re-exporting its names does not mean that the parent needs the child.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// A module's place in the crate, such as `["flow", "butterfly"]`; the root is empty.
pub(crate) type ModulePath = Vec<String>;

/// A source tree: its files by module, with what each one names.
pub(crate) struct Tree {
    modules: BTreeMap<ModulePath, Module>,
}

struct Module {
    file: PathBuf,
    /// Paths into this crate that the code mentions, from its root, with the line.
    mentions: Vec<(Vec<String>, usize)>,
    /// Crates that the code mentions, with the line.
    foreign: Vec<(String, usize)>,
    /// Names that `pub use` makes available, with what they stand for. `*` stands for all names of a module.
    exports: Vec<(String, Vec<String>)>,
}

/// One file needs another: the first line that says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    pub(crate) from: PathBuf,
    pub(crate) line: usize,
    pub(crate) to: PathBuf,
}

impl Tree {
    /// Parses all files below `root`, the folder of `lib.rs`. Code under `#[cfg(test)]` is left out, and so
    /// are files and folders that hold nothing but tests.
    pub(crate) fn read(root: &Path) -> Self {
        let mut files = Vec::new();
        sources(root, &mut files);
        let modules = files.into_iter().filter_map(|file| {
            let relative = file.strip_prefix(root).unwrap().to_path_buf();
            let path = module_path(&relative);
            let of_tests = path.iter().any(|name| name == "tests");
            if of_tests || path == ["main"] {
                return None;
            }
            let text = fs::read_to_string(&file).unwrap();
            let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", relative.display()));
            let mut collector = Collector::of(&path);
            collector.visit_file(&parsed);
            Some((path, collector.finish(relative)))
        });
        Self { modules: modules.collect() }
    }

    /// Every need of one file for another, each pair once.
    pub(crate) fn needs(&self) -> Vec<Need> {
        let mut found: BTreeMap<(PathBuf, PathBuf), usize> = BTreeMap::new();
        for module in self.modules.values() {
            for (mention, line) in &module.mentions {
                let Some(target) = self.file_of(mention, 0) else { continue };
                if *target != module.file {
                    found.entry((module.file.clone(), target.clone())).or_insert(*line);
                }
            }
        }
        found.into_iter().map(|((from, to), line)| Need { from, line, to }).collect()
    }

    /// Files with the first names of paths that lead out of this crate.
    pub(crate) fn foreign(&self) -> Vec<(PathBuf, usize, String)> {
        let all = self.modules.values();
        let named =
            all.flat_map(|m| m.foreign.iter().map(|(name, line)| (m.file.clone(), *line, name.clone())));
        named.collect()
    }

    /// The file that defines what a path from the root stands for.
    fn file_of(&self, path: &[String], depth: usize) -> Option<&PathBuf> {
        let known = (1..=path.len()).rev().find(|&n| self.modules.contains_key(&path[..n]))?;
        let module = &self.modules[&path[..known]];
        // A chain of re-exports has an end; a circle among them has none.
        if let Some(name) = path.get(known).filter(|_| depth < 16) {
            for (exported, target) in &module.exports {
                let target: Vec<String> = match exported.as_str() {
                    "*" => target.iter().cloned().chain(path[known..].iter().cloned()).collect(),
                    exported if exported == name => {
                        target.iter().cloned().chain(path[known + 1..].iter().cloned()).collect()
                    }
                    _ => continue,
                };
                let found = self.file_of(&target, depth + 1);
                if found.is_some_and(|file| *file != module.file) {
                    return found;
                }
            }
        }
        Some(&module.file)
    }

    /// Groups of files that need each other, directly or by way of others in the group.
    pub(crate) fn circles(&self) -> Vec<BTreeSet<PathBuf>> {
        let needs = self.needs();
        let mut reach: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> = BTreeMap::new();
        for module in self.modules.values() {
            let mut met = BTreeSet::new();
            let mut next = vec![&module.file];
            while let Some(file) = next.pop() {
                for need in needs.iter().filter(|need| need.from == *file) {
                    if met.insert(&need.to) {
                        next.push(&need.to);
                    }
                }
            }
            reach.insert(&module.file, met);
        }
        let mut circles: Vec<BTreeSet<PathBuf>> = Vec::new();
        for (file, reached) in &reach {
            let back = reached.iter().filter(|other| reach[**other].contains(*file));
            let circle: BTreeSet<PathBuf> = back.map(|other| (*other).clone()).collect();
            if circle.len() > 1 && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }
}

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

fn module_path(relative: &Path) -> ModulePath {
    let stem = relative.with_extension("");
    let mut path: ModulePath = stem.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod" || last == "lib") {
        path.pop();
    }
    path
}

/// Collects what a file mentions.
struct Collector {
    /// The module that is being visited: the file's own, or one inside it.
    here: ModulePath,
    /// Names that imports bring into scope, with the full path of each.
    imports: BTreeMap<String, Vec<String>>,
    raw: Vec<(Vec<String>, usize)>,
    exports: Vec<(String, Vec<String>)>,
    children: BTreeSet<String>,
}

impl Collector {
    fn of(path: &ModulePath) -> Self {
        Self {
            here: path.clone(),
            imports: BTreeMap::new(),
            raw: Vec::new(),
            exports: Vec::new(),
            children: BTreeSet::new(),
        }
    }

    /// A path from the root, if the path leads into this crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = self.here.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => return Some(rest[1..].to_vec()),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            first => {
                if let Some(import) = self.imports.get(first) {
                    return Some(import.iter().cloned().chain(rest[1..].iter().cloned()).collect());
                }
                if !self.children.contains(first) {
                    return None;
                }
            }
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn finish(self, file: PathBuf) -> Module {
        let mentions =
            self.raw.iter().filter_map(|(path, line)| Some((self.absolute(path)?, *line))).collect();
        let out = self.raw.iter().filter(|(path, _)| self.absolute(path).is_none());
        let foreign = out.map(|(path, line)| (path[0].clone(), *line)).collect();
        let exports =
            self.exports.iter().filter_map(|(name, path)| Some((name.clone(), self.absolute(path)?)));
        Module { file, mentions, foreign, exports: exports.collect() }
    }

    fn import(&mut self, tree: &syn::UseTree, mut prefix: Vec<String>, public: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.import(&path.tree, prefix, public);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.import(item, prefix.clone(), public));
            }
            syn::UseTree::Glob(star) => {
                let line = star.star_token.spans[0].start().line;
                self.bind("*".into(), prefix, line, public);
            }
            syn::UseTree::Name(name) => {
                let line = name.ident.span().start().line;
                let ident = name.ident.to_string();
                let bound =
                    if ident == "self" { prefix.last().cloned().unwrap_or_default() } else { ident.clone() };
                if ident != "self" {
                    prefix.push(ident);
                }
                self.bind(bound, prefix, line, public);
            }
            syn::UseTree::Rename(rename) => {
                let line = rename.ident.span().start().line;
                if rename.ident != "self" {
                    prefix.push(rename.ident.to_string());
                }
                self.bind(rename.rename.to_string(), prefix, line, public);
            }
        }
    }

    /// Takes the paths from a text of tokens.
    fn tokens(&mut self, text: &str, line: usize) {
        let text = text.replace(" :: ", "::");
        for start in ["crate::", "super::", "self::"] {
            for (at, _) in text.match_indices(start) {
                let is_name =
                    |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
                let end = text[at..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
                let path = &text[at..end.map_or(text.len(), |end| at + end)];
                let names: Vec<String> =
                    path.split("::").take_while(is_name).map(ToString::to_string).collect();
                if names.len() > 1 {
                    self.raw.push((names, line));
                }
            }
        }
    }

    fn bind(&mut self, name: String, path: Vec<String>, line: usize, public: bool) {
        if public {
            self.exports.push((name.clone(), path.clone()));
        } else {
            self.raw.push((path.clone(), line));
        }
        if name != "*"
            && let Some(absolute) = self.absolute(&path)
        {
            self.imports.insert(name, absolute);
        }
    }
}

fn only_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !only_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_file(&mut self, file: &'ast syn::File) {
        for item in &file.items {
            if let syn::Item::Mod(child) = item {
                self.children.insert(child.ident.to_string());
            }
        }
        // Imports count for the whole file, wherever they stand in it.
        visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.content.is_some() {
            self.here.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.here.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        self.import(&item.tree, Vec::new(), public);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if names.len() > 1 {
            let line = path.segments[0].ident.span().start().line;
            self.raw.push((names, line));
        }
        visit::visit_path(self, path);
    }

    /// `pub(in crate::cli)` says who may see a thing, not what it needs.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    /// What a macro is given is no syntax tree, so its paths are picked out of its tokens.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(&call.tokens.to_string(), call.path.segments[0].ident.span().start().line);
        visit::visit_macro(self, call);
    }

    /// The same goes for attributes other than documentation.
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(&list.tokens.to_string(), attribute.pound_token.spans[0].start().line);
        }
    }
}
