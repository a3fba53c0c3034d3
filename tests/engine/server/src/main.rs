//! The engine on a free port of this machine, with an empty database in memory, until standard input ends: so it never
//! outlives who started it, however that one ends. Its one line says where it answers.

use dynoxide::{Database, server};
use tokio::io::{AsyncReadExt, stdin};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("no free port");
    println!("http://{}", listener.local_addr().expect("no address"));
    let (database, mut input) = (Database::memory().expect("no database"), stdin());
    tokio::select! {
        () = server::serve_on(listener, database) => {}
        _ = input.read_u8() => {}
    }
}
