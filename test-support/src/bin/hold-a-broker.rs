//! Starts a Kafka broker, prints its address and waits to be killed: what the test of its last rites kills.

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let broker = test_support::kafka::Broker::start().await?;
    println!("{}", broker.address());
    std::future::pending().await
}
