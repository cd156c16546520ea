use linux_raw_sys::general as raw;

use super::*;
use crate::file::{EventFd, EventKind, OpenFlags};

/// An instance with a few counters, by their numbers from 3.
struct Scene {
    epoll: Rc<Epoll>,
    files: Vec<Rc<FileDescription>>,
    wakes: Wakes,
}

const FIRST: u32 = 3;

impl Scene {
    fn new(files: usize, events: u32) -> Self {
        let counter = |_| {
            let file = File::Event(EventFd::new(0, EventKind::Counter));
            FileDescription::new(file, OpenFlags::READ_WRITE, b"")
        };
        let mut scene = Self {
            epoll: Rc::default(),
            files: (0..files).map(counter).collect(),
            wakes: Wakes::default(),
        };
        for fd in FIRST..FIRST + files as u32 {
            scene.add(fd, events).expect("nothing speaks against it");
        }
        scene
    }

    fn file(&self, fd: u32) -> Rc<FileDescription> {
        Rc::clone(&self.files[(fd - FIRST) as usize])
    }

    fn add(&mut self, fd: u32, events: u32) -> Result<()> {
        let event = EpollEvent { events, data: u64::from(fd) };
        let file = self.file(fd);
        self.epoll.add(&mut self.wakes, fd, &file, event)
    }

    fn modify(&mut self, fd: u32, events: u32) {
        let event = EpollEvent { events, data: u64::from(fd) };
        let file = self.file(fd);
        self.epoll.modify(&mut self.wakes, fd, &file, event).expect("it is followed");
    }

    fn raise(&mut self, fds: &[u32]) {
        for &fd in fds {
            let File::Event(event) = &self.file(fd).file else { continue };
            event.add(1, &mut self.wakes).expect("there is room");
        }
    }

    fn lower(&mut self, fd: u32) {
        if let File::Event(event) = &self.file(fd).file {
            event.take(&mut self.wakes).expect("it was raised");
        }
    }

    fn harvest(&self, max: usize) -> Vec<u64> {
        let mut found = Vec::new();
        let put = &mut |_, event: EpollEvent| {
            found.push(event.data);
            Ok(())
        };
        self.epoll.harvest(max, put).expect("it takes everything");
        found
    }
}

#[test]
fn levels_are_reported_in_turn_for_as_long_as_they_hold() {
    let mut scene = Scene::new(4, raw::EPOLLIN);
    scene.raise(&[5, 3, 6]);
    assert_eq!(scene.harvest(2), [5, 3]);
    assert_eq!(scene.harvest(2), [6, 5]);
    scene.lower(3);
    assert_eq!(scene.harvest(9), [6, 5]);
    assert_eq!(scene.epoll.readiness(), Readiness::READABLE);
}

#[test]
fn an_edge_is_reported_once_and_again_for_each_event() {
    let mut scene = Scene::new(2, raw::EPOLLIN | raw::EPOLLET);
    scene.raise(&[4, 3, 4]);
    assert_eq!(scene.harvest(9), [4, 3]);
    assert_eq!(scene.harvest(9), []);
    scene.raise(&[3]);
    assert_eq!(scene.harvest(9), [3]);
    assert_eq!(scene.epoll.readiness(), Readiness::empty());
}

#[test]
fn a_shot_is_over_until_the_interest_is_modified() {
    let mut scene = Scene::new(1, raw::EPOLLIN | raw::EPOLLONESHOT);
    scene.raise(&[3]);
    assert_eq!(scene.harvest(9), [3]);
    scene.raise(&[3]);
    assert_eq!(scene.harvest(9), []);
    scene.modify(3, raw::EPOLLIN);
    assert_eq!(scene.harvest(9), [3]);
}

#[test]
fn what_cannot_be_delivered_stays_first_in_the_list() {
    let mut scene = Scene::new(2, raw::EPOLLIN | raw::EPOLLET);
    scene.raise(&[3, 4]);
    let refuse = &mut |_, _| Err(Errno::EFAULT.into());
    assert_eq!(scene.epoll.harvest(9, refuse).map_err(|e| e.errno), Err(Errno::EFAULT));
    assert_eq!(scene.harvest(9), [3, 4]);
}

#[test]
fn the_last_reference_takes_the_interest_along() {
    let mut scene = Scene::new(2, raw::EPOLLIN);
    scene.raise(&[3, 4]);
    scene.files[0].tell_watchers();
    assert_eq!(scene.harvest(9), [4]);
    let twice = scene.add(4, raw::EPOLLIN).map_err(|error| error.errno);
    assert_eq!(twice, Err(Errno::EEXIST));
    assert_eq!(scene.add(3, raw::EPOLLIN), Ok(()));
}

#[test]
fn of_exclusive_instances_only_one_that_is_waited_on_is_told() {
    let [first, second] = crate::slab::ids_for_test();
    let mut one = Scene::new(1, raw::EPOLLIN | raw::EPOLLEXCLUSIVE);
    let other: Rc<Epoll> = Rc::default();
    let event = EpollEvent { events: raw::EPOLLIN | raw::EPOLLEXCLUSIVE, data: 9 };
    let file = one.file(3);
    other.add(&mut one.wakes, 3, &file, event).expect("nothing speaks against it");
    one.epoll.queue.add(first, Readiness::READABLE);
    other.queue.add(second, Readiness::READABLE);
    one.raise(&[3]);
    assert_eq!([one.wakes.take_first(), one.wakes.take_first()], [Some(first), None]);
    one.raise(&[3]);
    assert_eq!([one.wakes.take_first(), one.wakes.take_first()], [Some(second), None]);
}

#[test]
fn instances_nest_four_deep_and_never_in_a_circle() {
    let mut wakes = Wakes::default();
    let instance = |_| {
        let file = File::Epoll(Rc::default());
        FileDescription::new(file, OpenFlags::READ_WRITE, b"")
    };
    let chain: Vec<_> = (0..7).map(instance).collect();
    let mut nest = |outer: usize, inner: usize| {
        let event = EpollEvent { events: raw::EPOLLIN, data: 0 };
        let outer = as_epoll(&chain[outer]).expect("all are");
        outer.add(&mut wakes, inner as u32, &chain[inner], event).map_err(|error| error.errno)
    };
    for outer in 1..=4 {
        assert_eq!(nest(outer, outer - 1), Ok(()), "{outer}");
    }
    assert_eq!(nest(5, 4), Err(Errno::ELOOP));
    assert_eq!(nest(0, 5), Err(Errno::ELOOP));
    assert_eq!(nest(0, 2), Err(Errno::ELOOP));
    assert_eq!(nest(6, 3), Ok(()));
}
