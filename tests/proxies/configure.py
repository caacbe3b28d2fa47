"""Writes a proxy's configuration: the lines of docs/deployment.md within the least that makes them
complete.

    configure.py PROXY SERVER_PORT PORT WORK

The proxy will serve HTTPS on PORT of the loopback, with WORK/certificate.pem and WORK/key.pem, and
keep its files in WORK. Of the document's lines only ports and directories change; a missing one is
a failure.
"""

import pathlib
import re
import sys

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/deployment.md"
# How each proxy's lines are marked in the document.
LANGUAGES = {"nginx": "nginx", "caddy": "caddyfile", "traefik": "yaml"}


def example(language: str) -> str:
    """The one block in this language of the section on proxies."""
    section = DOCUMENT.read_text("utf-8").split("\n## Behind a proxy\n")[1].split("\n## ")[0]
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    if len(blocks) != 1:
        sys.exit(
            f"configure.py: docs/deployment.md has {len(blocks)} blocks of {language}, not 1"
        )
    return blocks[0]


def replace(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        sys.exit(f"configure.py: '{old}' is {text.count(old)} times in the example, not once")
    return text.replace(old, new)


def nginx(lines: str, port: str, work: str) -> str:
    return f"""daemon off; master_process off; pid {work}/nginx.pid;
error_log {work}/nginx.error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {work}/nginx.bodies; proxy_temp_path {work}/nginx.answers;
  fastcgi_temp_path {work}/nginx.1; uwsgi_temp_path {work}/nginx.2; scgi_temp_path {work}/nginx.3;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {work}/certificate.pem; ssl_certificate_key {work}/key.pem;
{lines}
  }}
}}
"""


def caddy(lines: str, port: str, work: str) -> str:
    return f"""{{
  admin off
  auto_https disable_redirects
  storage file_system {work}/caddy
}}
https://localhost:{port} {{
  bind 127.0.0.1
  tls {work}/certificate.pem {work}/key.pem
{lines}
}}
"""


def traefik(lines: str, port: str, work: str) -> str:
    lines = replace(lines, '":443"', f'"127.0.0.1:{port}"')
    lines = replace(lines, "/etc/traefik/traefik.yaml", f"{work}/traefik.conf.yaml")
    return f"""{lines}
tls:
  stores:
    default:
      defaultCertificate: {{certFile: {work}/certificate.pem, keyFile: {work}/key.pem}}
"""


def main() -> None:
    proxy, server_port, port, work = sys.argv[1:]
    lines = replace(example(LANGUAGES[proxy]), "127.0.0.1:8000", f"127.0.0.1:{server_port}")
    whole = {"nginx": nginx, "caddy": caddy, "traefik": traefik}[proxy](lines, port, work)
    ending = ".yaml" if proxy == "traefik" else ""
    pathlib.Path(work, f"{proxy}.conf{ending}").write_text(whole, "utf-8")


if __name__ == "__main__":
    main()
