//! Hands the page to Tauri's macros.

fn main() {
    #[cfg(feature = "app")]
    tauri_build::build();
}
