//! Asks a service over HTTPS, as programs on reqwest do.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), reqwest::Error> {
    let answer = reqwest::Client::new().post("https://api.payments.test/charge/7").send().await?;
    println!("{:?} {} {}", answer.version(), answer.status(), answer.text().await?);
    Ok(())
}
