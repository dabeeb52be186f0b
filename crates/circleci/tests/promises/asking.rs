//! Whether a server answers is asked without a token and without claiming.

use runner_tray_circleci::answers;

use crate::release_server::ReleaseServer;

#[tokio::test]
async fn an_error_page_is_an_answer_and_silence_is_told_in_words() {
    let server = ReleaseServer::start();
    assert_eq!(answers(&server.url).await, Ok(()));
    assert_eq!(server.asked(), ["/runner"]);
    let closed = "127.0.0.1:1";
    let error = answers(&format!("http://{closed}")).await.unwrap_err();
    assert!(error.contains("127.0.0.1") && error.contains("refused"), "{error}");
}
