//! Links the image at its own base, without a C library.

fn main() {
    let arguments = [
        "-nostartfiles",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,--image-base=0x550000000000",
        "-Wl,--build-id=none",
        "-Wl,-z,max-page-size=4096",
        "-Wl,-z,separate-loadable-segments",
        "-Wl,-e,simrun_start",
        "-Wl,--section-start=.gate=0x550000001000",
    ];
    for argument in arguments {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
