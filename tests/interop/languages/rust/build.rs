//! Tells the programs the versions of the clients, as Cargo.lock has them.
fn main() {
    let lock = std::fs::read_to_string("Cargo.lock").unwrap_or_default();
    for (name, variable) in [("redis", "REDIS_RS_VERSION"), ("fred", "FRED_VERSION")] {
        let entry = format!("name = \"{name}\"\nversion = \"");
        let version = lock.split(&entry).nth(1).and_then(|rest| rest.split('"').next());
        println!("cargo:rustc-env={variable}={}", version.unwrap_or("?"));
    }
    println!("cargo:rerun-if-changed=Cargo.lock");
}
