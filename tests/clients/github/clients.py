"""PyGithub and githubkit, as their users write them. github.sh names the one to run.

clients.py pygithub|githubkit
"""

import hashlib
import os
import pathlib
import sys

BASE, TOKEN, WORK = os.environ["BASE"], os.environ["TOKEN"], pathlib.Path(os.environ["WORK"])
TAGS = ["v2.0.0-rc.1", "v1.2.0", "v1.1.0", "unversioned"]
NAME, NEW = "tool-v1.2.0-x86_64-unknown-linux-gnu.tar.gz", "new-v1.2.0.bin"
SHA256 = hashlib.sha256((WORK / NAME).read_bytes()).hexdigest()
CONTENT = os.urandom(100_000)


def same(what: str, got, expected) -> None:
    if got != expected:
        sys.exit(f"{what} is {got!r}, not {expected!r}")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pygithub() -> None:
    import github

    # Lazy: there is no repository to ask about.
    server = github.Github(
        base_url=f"{BASE}/api/v3", auth=github.Auth.Token(TOKEN), per_page=2, lazy=True
    )
    repository = server.get_repo("any/tool")
    releases = list(repository.get_releases())
    same("the list", [release.tag_name for release in releases], TAGS)
    latest = repository.get_latest_release()
    same("latest", latest.tag_name, "v1.2.0")
    tagged = repository.get_release("v1.2.0")
    same("by tag", (tagged.id, tagged.author.login), (latest.id, "release-server"))
    same("by id", repository.get_release(latest.id).title, "v1.2.0")
    asset = next(asset for asset in latest.get_assets() if asset.name == NAME)
    asset.download_asset(str(WORK / "pygithub.bin"))
    same("the download", digest((WORK / "pygithub.bin").read_bytes()), SHA256)
    (WORK / "pygithub.new").write_bytes(CONTENT)
    uploaded = latest.upload_asset(
        str(WORK / "pygithub.new"), name=NEW, content_type="application/octet-stream"
    )
    same("the upload", uploaded.size, len(CONTENT))
    same(
        "the made release", repository.create_git_release("v3.0.0", "v3.0.0", "").tag_name, "v3.0.0"
    )
    same("the deletion", uploaded.delete_asset(), True)
    try:
        repository.get_release("v9.9.9")
    except github.UnknownObjectException:
        return
    sys.exit("a tag that is not there is no UnknownObjectException")


def githubkit() -> None:
    from githubkit import GitHub
    from githubkit.exception import RequestFailed

    server = GitHub(TOKEN, base_url=f"{BASE}/api/v3/")
    rest, repository = server.rest.repos, {"owner": "any", "repo": "tool"}
    listed = server.rest.paginate(rest.list_releases, **repository, per_page=2)
    same("the list", [release.tag_name for release in listed], TAGS)
    latest = rest.get_latest_release(**repository).parsed_data
    same("latest", latest.tag_name, "v1.2.0")
    tagged = rest.get_release_by_tag(**repository, tag="v1.2.0").parsed_data
    same("by tag", tagged.id, latest.id)
    asset = next(asset for asset in latest.assets if asset.name == NAME)
    same("the digest", asset.digest, f"sha256:{SHA256}")
    bytes_ = rest.get_release_asset(
        **repository, asset_id=asset.id, headers={"Accept": "application/octet-stream"}
    )
    same("the download", digest(bytes_.content), SHA256)
    # Its own method uses GitHub's host for uploads; the test uses the URL that the release
    # announces.
    url = latest.upload_url.split("{")[0]
    uploaded = server.request("POST", url, params={"name": NEW}, content=CONTENT).json()
    same("the upload", uploaded["digest"], f"sha256:{digest(CONTENT)}")
    made = rest.create_release(**repository, tag_name="v3.0.0").parsed_data
    same("the made release", made.tag_name, "v3.0.0")
    deleted = rest.delete_release_asset(**repository, asset_id=uploaded["id"])
    same("the deletion", deleted.status_code, 204)
    try:
        rest.get_release_by_tag(**repository, tag="v9.9.9")
    except RequestFailed as error:
        return same("a tag that is not there", error.response.status_code, 404)
    sys.exit("a tag that is not there is no RequestFailed")


{"pygithub": pygithub, "githubkit": githubkit}[sys.argv[1]]()
