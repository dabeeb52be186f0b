//! Hands the capabilities and the window's files to Tauri's macros.

fn main() {
    let window = std::path::Path::new("../ui/dist/index.html");
    let embeds = std::env::var_os("CARGO_FEATURE_CUSTOM_PROTOCOL").is_some();
    println!("cargo::rerun-if-changed={}", window.display());
    if embeds && !window.exists() {
        println!(
            "cargo::error=the window is not built. Run: npm --prefix ui ci && npm --prefix ui run build"
        );
    }
    tauri_build::build();
}
