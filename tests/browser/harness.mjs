// A server on a directory of its own and a browser beside it, for as long as a check lasts.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

export const TOKEN = "a-test-token";

/** Starts the server; resolves to its process and its address once it says that it listens. */
function serve(binary, work) {
  const env = {
    AUTH_TOKEN: TOKEN,
    STORAGE_PATH: join(work, "data"),
    HOST: "127.0.0.1",
    PORT: "0",
    MAX_PACKAGES: "0",
  };
  const server = spawn(binary, { cwd: work, env, stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    let text = "";
    server.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    server.stdout.on("data", (chunk) => {
      if (text === undefined) return;
      text += chunk;
      const address = /"address":"([^"]+)"/.exec(text);
      if (!address) return;
      text = undefined;
      resolve({ server, base: `http://${address[1]}` });
    });
  });
}

/**
 * Runs a check with `{ browser, base, work }`: the browser, the server's URL, a temporary
 * directory. Before the server starts, `prepare` may fill its directory of packages.
 */
export async function withBrowser(binary, chromium, check, prepare = async () => {}) {
  const work = await mkdtemp(join(tmpdir(), "release-server-browser-"));
  try {
    await mkdir(join(work, "data"));
    await prepare(join(work, "data"));
    const { server, base } = await serve(binary, work);
    const browser = await puppeteer.launch({
      executablePath: chromium,
      args: [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // A server that is not on the local machine, as far as its URL says.
        "--host-resolver-rules=MAP packages.example 127.0.0.1",
      ],
    });
    try {
      await check({ browser, base, work });
    } finally {
      await browser.close();
      server.removeAllListeners("exit");
      server.kill("SIGTERM");
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
