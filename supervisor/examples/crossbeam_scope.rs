//! Scoped threads of crossbeam that share a bounded channel.

use crossbeam::channel;

fn main() {
    let (sender, receiver) = channel::bounded(2);
    let (sums, totals) = channel::unbounded();
    crossbeam::scope(|scope| {
        for id in 0..4u64 {
            let sender = sender.clone();
            scope.spawn(move |_| (0..50).for_each(|i| sender.send(id * 100 + i).unwrap()));
        }
        drop(sender);
        for _ in 0..3 {
            let (receiver, sums) = (receiver.clone(), sums.clone());
            scope.spawn(move |_| sums.send(receiver.iter().sum::<u64>()).unwrap());
        }
    })
    .unwrap();
    drop(sums);
    println!("{}", totals.iter().sum::<u64>());
}
