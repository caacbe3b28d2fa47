//! octocrab and self_update, as their users write them. Built and run by github.sh, which says
//! which one in an argument.

use octocrab::Octocrab;
use self_update::backends::github::ReleaseList;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::path::PathBuf;

const NAME: &str = "tool-v1.2.0-x86_64-unknown-linux-gnu.tar.gz";
const TAGS: [&str; 4] = ["v2.0.0-rc.1", "v1.2.0", "v1.1.0", "unversioned"];

fn variable(name: &str) -> String {
    std::env::var(name).expect("github.sh sets BASE, TOKEN and WORK")
}

fn expected() -> Vec<u8> {
    std::fs::read(PathBuf::from(variable("WORK")).join(NAME))
        .expect("the package that was published")
}

fn download(url: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    self_update::Download::from_url(url)
        .set_header("accept".parse()?, "application/octet-stream".parse()?)
        .download_to(&mut bytes)?;
    Ok(bytes)
}

async fn octocrab() -> Result<(), Box<dyn Error>> {
    let base = format!("{}/api/v3", variable("BASE"));
    let server = Octocrab::builder()
        .base_uri(base.as_str())?
        .upload_uri(base.as_str())?
        .personal_token(variable("TOKEN"))
        .build()?;
    let repository = server.repos("any", "tool");
    let first = repository.releases().list().per_page(2).send().await?;
    let listed = server.all_pages(first).await?;
    let tags: Vec<&str> = listed
        .iter()
        .map(|release| release.tag_name.as_str())
        .collect();
    assert_eq!(tags, TAGS);
    let latest = repository.releases().get_latest().await?;
    assert_eq!(latest.tag_name, "v1.2.0");
    let tagged = repository.releases().get_by_tag("v1.2.0").await?;
    assert_eq!(tagged.id, latest.id);
    let asset = latest
        .assets
        .iter()
        .find(|asset| asset.name == NAME)
        .expect("the asset");
    let url = asset.url.to_string();
    let downloaded =
        tokio::task::spawn_blocking(move || download(&url).map_err(|error| error.to_string()));
    assert_eq!(
        Sha256::digest(downloaded.await??),
        Sha256::digest(expected())
    );
    let releases = repository.releases();
    let upload = releases.upload_asset(latest.id.into_inner(), "new-v1.2.0.bin", expected().into());
    let uploaded = upload.send().await?;
    assert_eq!(uploaded.size, i64::try_from(expected().len())?);
    let made = repository.releases().create("v3.0.0").send().await?;
    assert_eq!(made.tag_name, "v3.0.0");
    repository
        .release_assets()
        .delete(uploaded.id.into_inner())
        .await?;
    assert!(repository.releases().get_by_tag("v9.9.9").await.is_err());
    Ok(())
}

fn self_update() -> Result<(), Box<dyn Error>> {
    let base = variable("BASE");
    let releases = ReleaseList::configure()
        .with_url(&base)
        .repo_owner("any")
        .repo_name("tool")
        .build()?
        .fetch()?;
    let versions: Vec<&str> = releases
        .iter()
        .map(|release| release.version.as_str())
        .collect();
    assert_eq!(versions, TAGS.map(|tag| tag.trim_start_matches('v')));
    let mut update = self_update::backends::github::Update::configure();
    update
        .with_url(&base)
        .repo_owner("any")
        .repo_name("tool")
        .bin_name("tool")
        .target("x86_64-unknown-linux-gnu")
        .current_version("1.0.0");
    let update = update.build()?;
    let latest = update.get_latest_release()?;
    assert_eq!(latest.version, "1.2.0");
    let tagged = update.get_release_version("v1.1.0")?;
    assert_eq!(tagged.version, "1.1.0");
    let asset = latest
        .asset_for("x86_64-unknown-linux-gnu", None)
        .expect("the asset");
    assert_eq!(
        Sha256::digest(download(&asset.download_url)?),
        Sha256::digest(expected())
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("octocrab") => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(octocrab()),
        _ => self_update(),
    }
}
