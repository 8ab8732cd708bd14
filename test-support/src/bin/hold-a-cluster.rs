//! Starts a cluster, prints its URL and waits to be killed: what the test of the last
//! rites kills.

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cluster = test_support::postgres::Cluster::start().await?;
    println!("{}", cluster.url("postgres"));
    std::future::pending().await
}
