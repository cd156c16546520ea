//! What is left after a loss of power, over many draws: only what the disk allows, and all of that.

use alloc::{
    collections::BTreeSet,
    format,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};

use linux_raw_sys::general as raw;
use simrun_abi::faults::Disk;

use super::{Journal, Synchronized};
use crate::{
    fs::{Attributes, Body, Contents, Folder, Inode, Times},
    random::Stream,
    testing::FakeHost,
    time::Instant,
};

/// A directory and what happens to it.
struct Machine {
    host: FakeHost,
    journal: Journal,
    folder: Rc<Inode>,
    now: Instant,
    last: u64,
}

const DRAWS: u64 = 400;

impl Machine {
    fn new(disk: Disk) -> Self {
        let folder = inode(1, raw::S_IFDIR | 0o755, Body::Directory(Folder::default()));
        let (host, journal) = (FakeHost::default(), Journal::new(disk));
        Self { host, journal, folder, now: Instant::from_nanos(1_000_000_000), last: 1 }
    }

    fn file(&self, name: &str) -> Rc<Inode> {
        let names = self.folder.folder().expect("a directory");
        names.known(name.as_bytes()).expect("a file")
    }

    fn set(&mut self, name: &str, file: Option<Rc<Inode>>) {
        let names = self.folder.folder().expect("a directory");
        let before = names.known(name.as_bytes());
        let replaces = before.is_some();
        self.journal.note_name(&self.folder, name.as_bytes(), before, self.now);
        match file {
            Some(file) => {
                if replaces {
                    self.journal.note_replacement(&file);
                }
                names.insert(name.as_bytes(), file);
            }
            None => names.remove(name.as_bytes()),
        }
    }

    fn make(&mut self, name: &str) {
        self.journal.next_call();
        self.last += 1;
        let file = inode(self.last, raw::S_IFREG | 0o644, Body::Regular(Contents::empty()));
        self.set(name, Some(Rc::clone(&file)));
        self.journal.note_made(&file);
    }

    fn write(&mut self, name: &str, at: u64, text: &str) {
        let file = self.file(name);
        let range = (at, text.len() as u64);
        self.journal.note_bytes(&mut self.host, &file, range, self.now).expect("room");
        file.contents().expect("a file").write(&mut self.host, text.as_bytes(), at).expect("room");
    }

    fn cut(&mut self, name: &str, len: u64) {
        let file = self.file(name);
        self.journal.note_length(&mut self.host, &file, len, self.now).expect("room");
        file.contents().expect("a file").truncate(&mut self.host, len).expect("room");
    }

    fn remove(&mut self, name: &str) {
        self.journal.next_call();
        let file = self.file(name);
        self.set(name, None);
        file.count_links(-1);
        file.discard_unreachable(&mut self.host);
    }

    fn rename(&mut self, old: &str, new: &str) {
        self.journal.next_call();
        let file = self.file(old);
        let replaced = self.folder.folder().and_then(|names| names.known(new.as_bytes()));
        self.set(old, None);
        self.set(new, Some(file));
        if let Some(replaced) = replaced {
            replaced.count_links(-1);
            replaced.discard_unreachable(&mut self.host);
        }
    }

    fn sync(&mut self, name: &str) {
        self.synchronize(name, Synchronized::File);
    }

    fn sync_data(&mut self, name: &str) {
        self.synchronize(name, Synchronized::Data);
    }

    /// A file that outlives any loss of power, name and all.
    fn make_durable(&mut self, name: &str, text: &str) {
        self.make(name);
        self.write(name, 0, text);
        self.sync(name);
        self.sync(".");
    }

    fn synchronize(&mut self, name: &str, what: Synchronized) {
        let file = if name == "." { Rc::clone(&self.folder) } else { self.file(name) };
        self.journal.synchronize(&mut self.host, &file, what, self.now).expect("room");
    }

    fn protect(&mut self, name: &str) {
        self.journal.next_call();
        let file = self.file(name);
        self.journal.note_attributes(&file, self.now);
        file.update(|attributes| attributes.mode = raw::S_IFREG | 0o400);
    }

    fn wait(&mut self, seconds: u64) {
        self.now = Instant::from_nanos(self.now.as_nanos() + seconds * 1_000_000_000);
    }

    /// The whole directory, as `name=contents`.
    fn show(&mut self) -> String {
        let mut shown = Vec::new();
        let names = self.folder.folder().expect("a directory");
        names.for_each_known(|name, file| {
            if let Some(file) = file {
                shown.push((String::from_utf8_lossy(name).to_string(), Rc::clone(file)));
            }
        });
        let shown: Vec<String> = shown
            .into_iter()
            .map(|(name, file)| {
                let mut bytes = [0; 64];
                let contents = file.contents().expect("a file");
                let len = contents.read(&mut self.host, &mut bytes, 0).expect("bytes");
                assert!(file.attributes().links > 0, "{name} has a name");
                let mark = if file.attributes().mode & 0o200 == 0 { "!" } else { "" };
                let text = String::from_utf8_lossy(&bytes[..len]).replace('\0', "0");
                format!("{name}={text}{mark}")
            })
            .collect();
        shown.join(" ")
    }
}

fn inode(number: u64, mode: u32, body: Body) -> Rc<Inode> {
    let links = if matches!(body, Body::Directory(_)) { 2 } else { 1 };
    let attributes = Attributes { mode, owner: 0, group: 0, links, device: 0 };
    Inode::new((0x801, number), body, attributes, Times::all(0)).into()
}

/// All states that are left of what a story does, over many draws.
fn left(disk: Disk, story: impl Fn(&mut Machine)) -> BTreeSet<String> {
    let states = (0..DRAWS).map(|draw| {
        let mut machine = Machine::new(disk);
        story(&mut machine);
        let mut random = Stream::new(draw, 0);
        let Machine { host, journal, now, .. } = &mut machine;
        journal.lose_power(host, &mut random, *now).expect("room");
        machine.show()
    });
    states.collect()
}

fn states(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|&state| state.into()).collect()
}

#[test]
fn a_file_that_was_not_synchronized_may_be_missing_empty_or_whole() {
    for disk in [Disk::Ext4, Disk::Strict] {
        let found = left(disk, |machine| {
            machine.make("a");
            machine.write("a", 0, "text");
        });
        let expected: &[&str] = match disk {
            Disk::Ext4 => &["", "a=", "a=text"],
            // What is there of it need not have been written.
            Disk::Strict => &["", "a=", "a=0000", "a=text"],
        };
        let common: BTreeSet<_> = found.intersection(&states(expected)).cloned().collect();
        assert_eq!(found, common, "{disk:?}");
        assert!(found.len() >= 3, "{disk:?}: {found:?}");
    }
}

#[test]
fn what_was_synchronized_stays() {
    let story = |machine: &mut Machine| {
        machine.make_durable("a", "text");
    };
    for disk in [Disk::Ext4, Disk::Strict] {
        assert_eq!(left(disk, story), states(&["a=text"]), "{disk:?}");
    }
}

#[test]
fn only_the_strict_disk_loses_the_name_of_a_synchronized_file() {
    let story = |machine: &mut Machine| {
        machine.make("a");
        machine.write("a", 0, "text");
        machine.sync("a");
    };
    assert_eq!(left(Disk::Ext4, story), states(&["a=text"]));
    assert_eq!(left(Disk::Strict, story), states(&["", "a=text"]));
}

#[test]
fn names_are_durable_in_their_order_on_ext4_only() {
    let story = |machine: &mut Machine| {
        machine.make("a");
        machine.make("b");
    };
    assert_eq!(left(Disk::Ext4, story), states(&["", "a=", "a= b="]));
    assert_eq!(left(Disk::Strict, story), states(&["", "a=", "b=", "a= b="]));
}

#[test]
fn synchronized_data_leaves_behind_what_is_no_data() {
    let rewrite = |text: &'static str| {
        move |machine: &mut Machine| {
            machine.make_durable("a", "old");
            machine.make("b");
            machine.protect("a");
            machine.write("a", 0, text);
            machine.sync_data("a");
        }
    };
    // In place: nothing else is needed to read it.
    let overwrite = rewrite("new");
    let in_order = states(&["a=new", "a=new b=", "a=new! b="]);
    assert_eq!(left(Disk::Ext4, overwrite), in_order);
    let any = states(&["a=new", "a=new!", "a=new b=", "a=new! b="]);
    assert_eq!(left(Disk::Strict, overwrite), any);
    let grow = rewrite("newer");
    assert_eq!(left(Disk::Ext4, grow), states(&["a=newer! b="]), "the length is committed");
    let strictly = states(&["a=newer", "a=newer!", "a=newer b=", "a=newer! b="]);
    assert_eq!(left(Disk::Strict, grow), strictly);
    let make = |machine: &mut Machine| {
        machine.make("b");
        machine.make("a");
        machine.sync_data("a");
    };
    assert_eq!(left(Disk::Ext4, make), states(&["a= b="]), "so is a new file");
    let names = |machine: &mut Machine| {
        machine.make("a");
        machine.sync_data(".");
    };
    for disk in [Disk::Ext4, Disk::Strict] {
        assert_eq!(left(disk, names), states(&["a="]), "{disk:?}: names are a directory's data");
    }
}

#[test]
fn a_file_that_replaces_another_is_written_first_on_ext4_only() {
    let story = |machine: &mut Machine| {
        machine.make_durable("a", "old");
        machine.make("new");
        machine.write("new", 0, "fresh");
        machine.rename("new", "a");
    };
    let found = left(Disk::Ext4, story);
    let allowed = states(&["a=old", "a=old new=", "a=old new=fresh", "a=fresh"]);
    assert!(found.is_subset(&allowed), "{found:?}");
    assert!(found.contains("a=fresh") && found.contains("a=old"), "{found:?}");
    let found = left(Disk::Strict, story);
    assert!(found.contains("a=") && found.contains("a=old"), "{found:?}");
}

#[test]
fn a_removed_file_may_come_back_with_its_bytes() {
    let story = |machine: &mut Machine| {
        machine.make_durable("a", "text");
        machine.remove("a");
    };
    for disk in [Disk::Ext4, Disk::Strict] {
        assert_eq!(left(disk, story), states(&["", "a=text"]), "{disk:?}");
    }
}

#[test]
fn bytes_are_overwritten_sector_by_sector() {
    let story = |machine: &mut Machine| {
        machine.make("a");
        machine.write("a", 0, &"o".repeat(2048));
        machine.sync("a");
        machine.sync(".");
        machine.write("a", 0, &"n".repeat(2048));
    };
    let torn = (0..DRAWS).filter(|&draw| {
        let mut machine = Machine::new(Disk::Ext4);
        story(&mut machine);
        let mut random = Stream::new(draw, 0);
        let Machine { host, journal, now, .. } = &mut machine;
        journal.lose_power(host, &mut random, *now).expect("room");
        let mut bytes = Vec::from([0; 2048]);
        let file = machine.file("a");
        file.contents().expect("a file").read(&mut machine.host, &mut bytes, 0).expect("bytes");
        for sector in bytes.chunks(512) {
            assert!(sector.iter().all(|&byte| byte == sector[0]), "a sector is old or new");
        }
        bytes.contains(&b'o') && bytes.contains(&b'n')
    });
    let torn = torn.count() as u64;
    assert!(torn > DRAWS / 10 && torn < DRAWS * 9 / 10, "{torn} of {DRAWS} are torn");
}

#[test]
fn what_has_waited_long_is_durable() {
    let names = |machine: &mut Machine| {
        machine.make("a");
        machine.wait(6);
    };
    assert_eq!(left(Disk::Ext4, names), states(&["a="]));
    let bytes = |machine: &mut Machine| {
        machine.make("a");
        machine.write("a", 0, "text");
        machine.wait(40);
    };
    assert_eq!(left(Disk::Ext4, bytes), states(&["a=text"]));
}

#[test]
fn bytes_that_were_cut_off_may_come_back() {
    let story = |machine: &mut Machine| {
        machine.make("a");
        machine.write("a", 0, "text");
        machine.sync("a");
        machine.cut("a", 0);
        machine.write("a", 0, "other");
    };
    // Old and new are in different blocks: they never mix.
    assert_eq!(left(Disk::Ext4, story), states(&["a=", "a=other", "a=text"]));
}

#[test]
fn a_small_file_needs_no_memory_of_the_host() {
    let mut machine = Machine::new(Disk::Ext4);
    machine.make("a");
    machine.write("a", 0, "old");
    machine.sync("a");
    machine.write("a", 0, "new");
    assert_eq!(machine.host.open_paths(), [] as [&[u8]; 0]);
}
