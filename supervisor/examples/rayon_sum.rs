//! A sum by rayon's pool.

use rayon::prelude::*;

fn main() {
    println!("{}", (0..200_000u64).into_par_iter().map(|x| x * x % 7).sum::<u64>());
}
