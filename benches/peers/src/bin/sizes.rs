//! Prints how many bytes travel in each mode, as a table.

use safeconduct_peers::sizes::sizes;

fn main() {
    println!("| mode | when | what | bytes |");
    println!("|---|---|---|---|");
    for size in sizes() {
        println!("| {} | {} | {} | {} |", size.mode, size.when, size.what, size.bytes);
    }
}
