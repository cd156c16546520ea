use alloc::{format, string::String};

use super::*;
use crate::testing::{FakeHost, boot, node};

const FILES: [&str; 14] = [
    "/a/",
    "/a/b/",
    "/a/b/file",
    "/a/up -> ..",
    "/to_a -> a",
    "/to_b -> /a/b/",
    "/a/to_file -> b/file",
    "/chain -> to_b",
    "/loop -> pool",
    "/pool -> loop",
    "/dangling -> nowhere",
    "/into_proc -> /proc/self",
    "/a/root -> /b",
    "/a/deep -> b/../../to_a/b",
];

fn views(path: &[u8]) -> Option<Node> {
    match path {
        b"/proc" | b"/proc/7" => Some(Node::Directory(Vec::new())),
        b"/proc/self" => Some(Node::Link(b"7".to_vec())),
        b"/proc/7/stat" => Some(Node::Text(Vec::new())),
        b"/proc/7/cwd" => Some(Node::Link(b"/a/b".to_vec())),
        _ => None,
    }
}

fn show(found: Result<Found>) -> String {
    match found {
        Err(error) => error.errno.name().into(),
        Ok(Found { place, last }) => {
            let path = match &place {
                Place::Tree(spot) => String::from_utf8_lossy(&spot.path).into_owned(),
                Place::View(path, Some(_)) => format!("view {}", String::from_utf8_lossy(path)),
                Place::View(_, None) => "no view".into(),
                Place::Description(_) => "description".into(),
            };
            let slash = if last == Last::NameAndSlash { "/" } else { "" };
            format!("{path}{slash}")
        }
    }
}

fn files() -> (Tree, FakeHost) {
    (Tree::new(&boot(1), &node()), FakeHost::with_files(&FILES))
}

fn walk(tree: &Tree, host: &mut FakeHost, root: &str, path: &str, follow: Follow) -> String {
    let root = root.as_bytes();
    let caller = Credentials::new(0, 0, Vec::new());
    let from = Standing::at(tree, host, b"/a".to_vec()).expect("the directory is there");
    let mut walk =
        Walk { tree, host, views: &views, caller: &caller, root, resolve: Resolve::default() };
    show(walk.walk(&from, path.as_bytes(), follow))
}

#[test]
fn paths_lead_where_linux_takes_them() {
    let cases = [
        ("", "ENOENT"),
        ("/", "/"),
        ("//", "/"),
        ("/..", "/"),
        ("b", "/a/b"),
        ("b/", "/a/b/"),
        ("./b/.", "/a/b"),
        ("../a/b/file", "/a/b/file"),
        ("b/file/", "ENOTDIR"),
        ("b/file/x", "ENOTDIR"),
        ("b/file/..", "ENOTDIR"),
        ("b/new", "/a/b/new"),
        ("b/new/", "/a/b/new/"),
        ("new/x", "ENOENT"),
        ("/to_a/b/file", "/a/b/file"),
        ("/to_b/file", "/a/b/file"),
        ("/chain/file", "/a/b/file"),
        ("up", "/"),
        ("up/a/up/a/b", "/a/b"),
        ("to_file", "/a/b/file"),
        ("/loop", "ELOOP"),
        ("/dangling", "/nowhere"),
        ("/dangling/x", "ENOENT"),
        ("deep/file", "/a/b/file"),
        ("/proc/7/stat", "view /proc/7/stat"),
        ("/into_proc/stat", "view /proc/7/stat"),
        ("/proc/7/stat/", "ENOTDIR"),
        ("/proc/7/cwd/file", "/a/b/file"),
        ("/proc/7/none", "no view"),
        ("/proc/none/x", "ENOENT"),
        ("/proc/self/../..", "/"),
    ];
    // Twice with the same knowledge: what is remembered must not change the answer.
    let (tree, mut host) = files();
    for _ in 0..2 {
        for (path, expected) in cases {
            assert_eq!(walk(&tree, &mut host, "/", path, Follow::Yes), expected, "{path:?}");
        }
    }
}

#[test]
fn a_link_in_last_place_stays_if_asked() {
    let (tree, mut host) = files();
    let cases = [
        ("/to_a", "/to_a"),
        ("/to_a/", "/a/"),
        ("/loop", "/loop"),
        ("to_file", "/a/to_file"),
        ("/proc/self", "view /proc/self"),
    ];
    for (path, expected) in cases {
        assert_eq!(walk(&tree, &mut host, "/", path, Follow::No), expected, "{path:?}");
    }
}

#[test]
fn nothing_leads_out_of_a_changed_root() {
    let (tree, mut host) = files();
    let cases = [("/..", "/a"), ("/b/../../b", "/a/b"), ("/root/file", "/a/b/file"), ("/up", "/a")];
    for (path, expected) in cases {
        assert_eq!(walk(&tree, &mut host, "/a", path, Follow::Yes), expected, "{path:?}");
    }
}

#[test]
fn known_names_cost_no_questions() {
    let (tree, mut host) = files();
    for path in ["/a/b/file", "/a/b/none"] {
        walk(&tree, &mut host, "/", path, Follow::No);
        let before = host.questions;
        assert_eq!(walk(&tree, &mut host, "/", path, Follow::No), path);
        assert_eq!(host.questions, before);
    }
}

#[test]
fn long_names_are_refused() {
    let (tree, mut host) = files();
    let name = "n".repeat(NAME_MAX + 1);
    assert_eq!(walk(&tree, &mut host, "/", &name, Follow::No), "ENAMETOOLONG");
    assert_eq!(walk(&tree, &mut host, "/", &name[1..], Follow::No), format!("/a/{}", &name[1..]));
}

/// Asks for names as open(2) does, but opens nothing; what of the host is open then.
fn asked_to_open(files: &[&str], paths: &[&str]) -> Vec<String> {
    let (tree, mut host) = (Tree::new(&boot(1), &node()), FakeHost::with_files(files));
    let caller = Credentials::new(0, 0, Vec::new());
    let from = Standing::at(&tree, &mut host, b"/".to_vec()).expect("the root is there");
    for path in paths {
        let resolve = Resolve::OPENS_FILE;
        let (tree, host, caller) = (&tree, &mut host, &caller);
        let mut walk = Walk { tree, host, views: &views, caller, root: b"/", resolve };
        let found = walk.walk(&from, path.as_bytes(), Follow::Yes);
        // As without: the same names lead to the same places.
        let again =
            Walk { resolve: Resolve::default(), ..walk }.walk(&from, path.as_bytes(), Follow::Yes);
        assert_eq!(show(found), show(again), "{path}");
    }
    host.open_paths().iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect()
}

#[test]
fn files_of_a_directory_that_many_are_opened_of_are_opened_to_see_what_they_are() {
    let files = ["/d/", "/d/1", "/d/2", "/d/3", "/d/4", "/d/5", "/d/to -> 6", "/d/6", "/d/in/"];
    let paths = ["/d/1", "/d/2", "/d/3", "/d/4", "/d/5", "/d/to", "/d/in", "/d/none", "/d/5"];
    assert_eq!(asked_to_open(&files, &paths), ["/d/5", "/d/6"]);
    // Somebody might be waiting for a reader of the FIFO.
    let with_fifo = [&files[..], &["/d/fifo|"]].concat();
    let asks_for_it = [&paths[..], &["/d/fifo"]].concat();
    assert!(asked_to_open(&with_fifo, &asks_for_it).is_empty());
}
