# cargo builds, tests, changes and builds again a crate that was there before and has no dependencies.
# Arguments: a seed, and `prepare` to only write it, or `use`.
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 CARGO_NET_OFFLINE=true CARGO_BUILD_JOBS=2
unset CARGO_TARGET_DIR RUSTFLAGS
if [ "$2" = prepare ]; then
    mkdir src
    printf '[package]\nname = "small"\nversion = "0.1.0"\nedition = "2021"\n\n[workspace]\n' > Cargo.toml
    printf 'pub fn twice(n: u32) -> u32 { n * 2 }\n#[test]\nfn doubles() { assert_eq!(twice(2), 4); }\n' > src/lib.rs
    printf 'fn main() { println!("{}", small::twice(21)); }\n' > src/main.rs
    exit
fi
cargo build -q 2> /dev/null && ./target/debug/small && cargo test -q 2>&1 | grep -c '1 passed'
sleep 1; sed -i 's/n \* 2/n + n + 1/' src/lib.rs
cargo build 2>&1 | grep -c Compiling; ./target/debug/small
cargo build 2>&1 | grep -c Compiling
ls target/debug Cargo.lock
