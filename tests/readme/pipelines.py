"""The pipelines of docs/api.md, run against a server: the GitHub Actions workflow through `act`,
the GitLab job through `gitlab-ci-local`, or the commands of each in bash where its tool is not
installed, which checks all but the YAML.

Each is put into a repository of its own, unchanged but for the server's address, and run three
times on a tag: it publishes; run again it is no failure; with a wrong token it fails and says why.
`act` does by itself what `actions/checkout` does.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import typing
import urllib.request

PATIENCE_SECONDS = 120
SERVER_SHOWN = "https://releases.example.org"


class Difference(Exception):
    """Something is different from what a document shows."""


class Pipeline(typing.NamedTuple):
    """One of the pipelines."""

    tool: str
    file: str
    # Matches each command that it runs.
    commands: str
    tag: str
    # Where its commands find the tag.
    tag_variable: str


WORKFLOW = Pipeline(
    "act", ".github/workflows/publish.yaml", r"^ +(?:- )?run: (.+)", "v2.0.0", "GITHUB_REF_NAME"
)
GITLAB = Pipeline("gitlab-ci-local", ".gitlab-ci.yml", r"^    - (.+)", "v3.0.0", "CI_COMMIT_TAG")


def git(repository: pathlib.Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments],
        cwd=repository,
        check=True,
    )


def is_installed(pipeline: Pipeline) -> bool:
    """Whether its tool is there; GitLab's copies files with rsync."""
    return bool(shutil.which(pipeline.tool) and (pipeline is not GITLAB or shutil.which("rsync")))


def command_line(
    pipeline: Pipeline, text: str, variables: dict[str, str], work: pathlib.Path
) -> list[str]:
    """How to run it here; `variables` are those that it takes."""
    if not is_installed(pipeline):
        commands = re.findall(
            pipeline.commands,
            text.partition("script:" if pipeline is GITLAB else "steps:")[2],
            re.M,
        )
        return [
            "env",
            *pairs(variables),
            f"{pipeline.tag_variable}={pipeline.tag}",
            "bash",
            "-eo",
            "pipefail",
            "-xc",
            "\n".join(commands),
        ]
    if pipeline is GITLAB:
        options = [word for pair in pairs(variables) for word in ("--variable", pair)]
        return [
            "gitlab-ci-local",
            "--shell-executor-no-image",
            "--variable",
            f"CI_COMMIT_TAG={pipeline.tag}",
            *options,
        ]
    event = work / "event.json"
    event.write_text(json.dumps({"ref": f"refs/tags/{pipeline.tag}"}))
    return [
        "act",
        "push",
        "--eventpath",
        str(event),
        "--platform",
        "ubuntu-24.04=-self-hosted",
        "--secret",
        f"RELEASE_SERVER_TOKEN={variables['RELEASE_SERVER_TOKEN']}",
    ]


def pairs(variables: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in variables.items()]


def run(command: list[str], directory: pathlib.Path, home: pathlib.Path) -> tuple[bool, str]:
    ended = subprocess.run(
        command,
        cwd=directory,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        timeout=PATIENCE_SECONDS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.returncode == 0, ended.stdout


def check_one(
    pipeline: Pipeline, text: str, url: str, repository: pathlib.Path, work: pathlib.Path
) -> None:
    file = repository / pipeline.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.replace(SERVER_SHOWN, url))
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Publish")
    git(repository, "tag", pipeline.tag)
    name = f"spec-kit-template-claude-sh-{pipeline.tag}.zip"
    for token, succeeds, says in (
        ("secret", True, f"{name} ... published ("),
        ("secret", True, f"{name} ... already published"),
        ("another", False, f"{name} ... refused: The token is wrong"),
    ):
        variables = {"RELEASE_SERVER_URL": url, "RELEASE_SERVER_TOKEN": token}
        succeeded, output = run(command_line(pipeline, text, variables, work), repository, work)
        print(output)
        if succeeded != succeeds or says not in output:
            outcome = "success" if succeeds else "failure"
            raise Difference(f"{pipeline.file}: expected was {outcome} with '{says}'")
    with urllib.request.urlopen(f"{url}/assets/{name}", timeout=PATIENCE_SECONDS) as answer:
        print(f"published: {name}, {len(answer.read())} bytes")


def check(
    texts: list[str],
    url: str,
    work: pathlib.Path,
    make_clone: typing.Callable[[pathlib.Path], pathlib.Path],
) -> None:
    """Runs the two pipelines of docs/api.md, in their order there."""
    if len(texts) != 2:
        raise Difference(
            f"docs/api.md has {len(texts)} pipelines, not one of GitHub and one of GitLab"
        )
    for pipeline, text in zip((WORKFLOW, GITLAB), texts):
        how = (
            pipeline.tool
            if is_installed(pipeline)
            else f"its commands in bash, without {pipeline.tool}"
        )
        print(f"\n== {pipeline.file}: {how}")
        repository = make_clone(work / pipeline.tool)
        check_one(pipeline, text, url, repository, work)
        if pipeline is WORKFLOW and shutil.which("actionlint"):
            subprocess.run(["actionlint", pipeline.file], cwd=repository, check=True)
            print("actionlint: accepted")
