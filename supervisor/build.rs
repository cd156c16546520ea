//! Builds the kernel image and has it embedded.

use std::{env, path::PathBuf, process::Command};

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let workspace = manifest.parent().expect("the crate lies in the workspace").to_path_buf();
    // A target folder of its own: the outer cargo holds the lock on the usual one.
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("image");
    let status = Command::new(env::var_os("CARGO").expect("cargo sets it"))
        .args(["build", "--release", "--locked", "--package", "simrun-image", "--target-dir"])
        .arg(&target)
        .current_dir(&workspace)
        // The image is built the same whatever the outer build is instrumented with.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "the kernel image does not build");
    println!("cargo:rustc-env=SIMRUN_IMAGE={}", target.join("release/simrun-image").display());
    for path in ["interposer", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", workspace.join(path).display());
    }
}
