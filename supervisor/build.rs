//! Builds the kernel image and the preload library and has them embedded.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let workspace = manifest.parent().expect("the crate lies in the workspace").to_path_buf();
    // A target folder of its own: the outer cargo holds the lock on the usual one.
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("image");
    // A debug build gets an image that builds fast and checks its own arithmetic; a release build one that runs fast: a
    // call that a program makes is some fifty small functions of three crates.
    let fast = [("CARGO_PROFILE_RELEASE_LTO", "fat"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")];
    let checked = [
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
        ("CARGO_PROFILE_RELEASE_INCREMENTAL", "true"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64"),
        ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true"),
        ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true"),
    ];
    let is_debug = env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    build(&workspace, &target, "simrun-image", if is_debug { &checked } else { &fast });
    // One small library without debug information, std's unused parts left out.
    let small = [
        ("CARGO_PROFILE_RELEASE_LTO", "fat"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
        ("CARGO_PROFILE_RELEASE_STRIP", "true"),
    ];
    build(&workspace, &target, "simrun-preload", &small);
    let built = target.join("release");
    println!("cargo:rustc-env=SIMRUN_IMAGE={}", built.join("simrun-image").display());
    println!("cargo:rustc-env=SIMRUN_PRELOAD={}", built.join("libsimrun_preload.so").display());
    // A program that lies where it was linked has some six thousand places less to relocate at each start.
    println!("cargo:rustc-link-arg-bins=-no-pie");
    for path in ["interposer", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", workspace.join(path).display());
    }
}

fn build(workspace: &Path, target: &Path, package: &str, settings: &[(&str, &str)]) {
    let status = Command::new(env::var_os("CARGO").expect("cargo sets it"))
        .args(["build", "--release", "--locked", "--package", package, "--target-dir"])
        .arg(target)
        .current_dir(workspace)
        .envs(settings.iter().copied())
        // It is built the same whatever the outer build is instrumented with.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "{package} does not build");
}
